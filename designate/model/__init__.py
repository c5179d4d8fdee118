"""Values of the domain: what the API shows, RPC carries and storage keeps."""
