//! In-memory trees, a fake clock, a faulty disk: doubles for tests only.
