"""Storage of zones, recordsets and everything else that central keeps."""
