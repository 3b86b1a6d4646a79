"""The three databases that rpm keeps its headers in, one a file. Each has `headers(data)`: blobs for header.Header."""
