"""The checks after the move, on alarms, metrics and logs that boto3 has written.

moto does not evaluate alarms: their states are set here, and it has no composite
ones: test/runner has those. What boto3 asks of it
goes there directly, what the binary asks of CloudWatch through cbor.py.
"""

import datetime
import json

import cbor
import pytest
from test_rollback import aws, client, deploy, endpoint, rollback, serves  # noqa: F401

NOW = datetime.timezone.utc


@pytest.fixture(autouse=True)
def translator(endpoint, monkeypatch):  # noqa: F811
    server, address = cbor.serve(endpoint)
    monkeypatch.setenv("CLOUDWATCH", address)
    yield
    server.shutdown()


def alarm(endpoint, name, state):
    cloudwatch = client(endpoint, "cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="set by the test")


def checks(outcome):
    (result,) = json.loads(outcome.outputs["results"])
    return {check["name"]: (check["status"], check["detail"]) for check in result["checks"]}


def test_alarms_in_every_state(aws, endpoint, tmp_path):  # noqa: F811
    for state, want, healthy, code in [
        ("OK", "passed", "true", 0),
        ("ALARM", "failed", "false", 1),
        ("INSUFFICIENT_DATA", "inconclusive", "unknown", 0),
    ]:
        name = "api-" + state.lower().replace("_", "-")
        deploy(aws, endpoint, name, versions=3)
        alarm(endpoint, "errors-" + name, state)

        outcome = rollback(endpoint, tmp_path, function_name=name, alarms="errors-" + name)

        status, detail = checks(outcome)["alarm errors-" + name]
        assert (status, outcome.outputs["healthy"], outcome.code) == (want, healthy, code), outcome.log
        assert state in detail
        assert serves(aws, name) == ("2", {}), "the alias stays on the target"


def test_an_alarm_that_does_not_exist_proves_nothing(aws, endpoint, tmp_path):  # noqa: F811
    deploy(aws, endpoint, "api", versions=3)

    outcome = rollback(endpoint, tmp_path, function_name="api", alarms="no-such-alarm")

    status, detail = checks(outcome)["alarm no-such-alarm"]
    assert (status, outcome.code) == ("inconclusive", 0), outcome.log
    assert "no metric or composite alarm with that name" in detail
    assert outcome.outputs["healthy"] == "unknown"


def traffic(endpoint, function, minutes, errors):
    """A thousand calls a minute through the alias, as Lambda would measure them."""
    cloudwatch = client(endpoint, "cloudwatch")
    dimensions = [
        {"Name": "FunctionName", "Value": function},
        {"Name": "Resource", "Value": function + ":live"},
    ]
    by_version = dimensions + [{"Name": "ExecutedVersion", "Value": "2"}]
    for at in minutes:
        for where in (dimensions, by_version):
            cloudwatch.put_metric_data(
                Namespace="AWS/Lambda",
                MetricData=[
                    {"MetricName": name, "Dimensions": where, "Timestamp": at, "Value": value}
                    for name, value in [("Invocations", 1000), ("Errors", errors), ("Throttles", 0), ("Duration", 25)]
                ],
            )


def log(endpoint, function, version, *messages):
    logs = client(endpoint, "logs")
    group, stream = "/aws/lambda/" + function, f"2026/01/31/[{version}]0123456789abcdef"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    # Their time is that of the move, which is to come in an instant.
    at = int((datetime.datetime.now(NOW) + datetime.timedelta(seconds=2)).timestamp() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": at + n, "message": message} for n, message in enumerate(messages)],
    )


def around_now():
    this = datetime.datetime.now(NOW).replace(second=0, microsecond=0)
    return [this + datetime.timedelta(minutes=n) for n in range(-3, 5)]


def test_watching_metrics_and_logs_that_are_well(aws, endpoint, tmp_path):  # noqa: F811
    deploy(aws, endpoint, "api", versions=3)
    traffic(endpoint, "api", around_now(), errors=0)
    log(endpoint, "api", 2, "START", "[INFO] served", "END")

    outcome = rollback(endpoint, tmp_path, function_name="api", observe="3s")

    found = checks(outcome)
    assert found["metrics"][0] == "passed", outcome.log
    assert found["logs"][0] == "passed", outcome.log
    assert "version 2 writes" in found["logs"][1]
    assert outcome.outputs["healthy"] == "true"
    assert "| Calls |" in outcome.summary


def test_watching_errors_that_go_on(aws, endpoint, tmp_path):  # noqa: F811
    deploy(aws, endpoint, "api", versions=3)
    before, after = around_now()[:3], around_now()[3:]
    traffic(endpoint, "api", before, errors=0)
    traffic(endpoint, "api", after, errors=500)
    log(endpoint, "api", 2, "[ERROR] RuntimeError: no table")

    # One bad minute is not enough, and only whole ones until the end of the watch count.
    outcome = rollback(endpoint, tmp_path, function_name="api", observe="121s")

    found = checks(outcome)
    assert found["metrics"][0] == "failed", outcome.log
    assert found["logs"][0] == "inconclusive", outcome.log
    assert (outcome.outputs["status"], outcome.outputs["reason"], outcome.code) == ("failed", "unhealthy", 1)
    assert "no table" in outcome.summary
    assert serves(aws, "api") == ("2", {}), "the alias stays on the target"


def test_nobody_calls(aws, endpoint, tmp_path):  # noqa: F811
    deploy(aws, endpoint, "api", versions=3)

    outcome = rollback(endpoint, tmp_path, function_name="api", observe="1s")

    assert {name: status for name, (status, _) in checks(outcome).items()} == {
        "metrics": "inconclusive",
        "logs": "inconclusive",
    }, outcome.log
    assert (outcome.outputs["status"], outcome.outputs["healthy"], outcome.code) == ("rolled-back", "unknown", 0)
