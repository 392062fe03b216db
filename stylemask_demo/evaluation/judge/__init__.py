"""Results on real photographs judged by eyes that no training saw: MediaPipe's face mesh and dlib's face recognition."""
