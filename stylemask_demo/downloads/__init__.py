"""One resumable, size-limited, cancellable downloader, for all that is fetched."""
