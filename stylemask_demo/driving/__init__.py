"""Following a face through a video or webcam, smoothly."""
