package image_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// descriptor names a part of an image
// (https://github.com/opencontainers/image-spec/blob/main/descriptor.md).
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
	Platform  struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
	} `json:"platform"`
}

// platform is the image for one platform.
type platform struct {
	name       string // such as linux/amd64
	compressed int64  // bytes that a runner pulls
	config     struct {
		Config struct {
			User       string
			Env        []string
			Entrypoint []string
			Cmd        []string
			Volumes    map[string]any
			WorkingDir string
			Labels     map[string]string
		} `json:"config"`
	}
	files []file
}

type file struct {
	tar.Header

	content []byte
}

// layout is an image as it stands in a folder
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
type layout struct {
	t      *testing.T
	folder string
}

func (l layout) blob(digest string) io.ReadCloser {
	l.t.Helper()
	opened, err := os.Open(filepath.Join(l.folder, "blobs", strings.Replace(digest, ":", string(filepath.Separator), 1)))
	require.NoError(l.t, err)
	return opened
}

func (l layout) parse(from io.ReadCloser, into any) {
	l.t.Helper()
	defer from.Close()
	require.NoError(l.t, json.NewDecoder(from).Decode(into))
}

// digest is that of the whole image, for all platforms.
func (l layout) digest() string {
	l.t.Helper()
	index, err := os.Open(filepath.Join(l.folder, "index.json"))
	require.NoError(l.t, err)
	var parsed struct {
		Manifests []descriptor `json:"manifests"`
	}
	l.parse(index, &parsed)
	require.Len(l.t, parsed.Manifests, 1)
	return parsed.Manifests[0].Digest
}

func (l layout) platforms() []platform {
	l.t.Helper()
	var index struct {
		Manifests []descriptor `json:"manifests"`
	}
	l.parse(l.blob(l.digest()), &index)
	var all []platform
	for _, d := range index.Manifests {
		var manifest struct {
			Config descriptor   `json:"config"`
			Layers []descriptor `json:"layers"`
		}
		l.parse(l.blob(d.Digest), &manifest)
		p := platform{name: d.Platform.OS + "/" + d.Platform.Architecture, compressed: d.Size + manifest.Config.Size}
		l.parse(l.blob(manifest.Config.Digest), &p.config)
		for _, layer := range manifest.Layers {
			p.compressed += layer.Size
			p.files = append(p.files, l.unpack(layer)...)
		}
		all = append(all, p)
	}
	return all
}

func (l layout) unpack(layer descriptor) []file {
	l.t.Helper()
	blob := l.blob(layer.Digest)
	defer blob.Close()
	unzipped, err := gzip.NewReader(blob)
	require.NoError(l.t, err, layer.MediaType)
	var files []file
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(l.t, err)
		content, err := io.ReadAll(archive)
		require.NoError(l.t, err)
		// Some builders begin each name with this, and name the root as well.
		if header.Name = strings.TrimPrefix(header.Name, "./"); header.Name != "" {
			files = append(files, file{*header, content})
		}
	}
}
