"""A plain client of S3 that shares no code with the program: it plays a past and a
deploy, and tells what a visitor gets."""

import json
import random
import sys

import boto3
from botocore.config import Config

ADDRESS, ACCESS, SECRET, BUCKET, WHAT, SEED = sys.argv[1:7]
KEYS = ["index.html", "a/index.html", "app.js", "a b.js", "a+b.js", "100%.txt", "ünï/çødé.css", "tilde~.js", "quote'.txt",
        "amp&.js", "star*.js", "what?.js", "hash#.js", "k" * 200 + ".html", "z/y/x"]

s3 = boto3.client("s3", endpoint_url=ADDRESS, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET, region_name="us-east-1",
                  config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}))


def write(prefix, count):
    draw = random.Random(SEED + WHAT)
    for n in range(count):
        key = prefix + draw.choice(KEYS)
        if draw.random() < 0.25:
            s3.delete_object(Bucket=BUCKET, Key=key)
            continue
        headers = {"ContentType": draw.choice(["text/html", "text/plain"])}
        if draw.random() < 0.5:
            headers |= {"CacheControl": draw.choice(["no-cache", "max-age=60"]), "ContentDisposition": "inline",
                        "ContentLanguage": "en", "Metadata": {"sha": draw.choice("ab")}, "Tagging": "team=a%20b"}
        s3.put_object(Bucket=BUCKET, Key=key, Body=draw.choice([b"", b"one", b"two", b"longer"]) + bytes([n]), **headers)


def large(prefix, letter):
    """An object in parts of the least size."""
    up = s3.create_multipart_upload(Bucket=BUCKET, Key=prefix + "large.bin", ContentType="video/mp4", Metadata={"part": letter})["UploadId"]
    parts = []
    for number, size in enumerate([5 << 20, 5 << 20, 1000], 1):
        part = s3.upload_part(Bucket=BUCKET, Key=prefix + "large.bin", UploadId=up, PartNumber=number, Body=letter.encode() * size)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(Bucket=BUCKET, Key=prefix + "large.bin", UploadId=up, MultipartUpload={"Parts": parts})


def state(prefix):
    out = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for item in page.get("Contents", []):
            key = item["Key"]
            got = s3.get_object(Bucket=BUCKET, Key=key)
            tags = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
            names = ["ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Metadata", "ETag"]
            out[key] = {name: got.get(name) for name in names} | {"Tags": tags, "Body": got["Body"].read().hex()[:4000], "Size": item["Size"]}
    return out


def versions():
    out = set()
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
        for item in page.get("Versions", []) + page.get("DeleteMarkers", []):
            out.add(item["Key"] + " " + item["VersionId"])
    return sorted(out)


if WHAT == "past":
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    write("www/", 40)
    write("other/", 5)
    large("www/", "a")
elif WHAT == "deploy":
    write("www/", 25)
    large("www/", "b")
json.dump({"site": state("www/"), "other": state("other/"), "versions": versions()}, sys.stdout)
