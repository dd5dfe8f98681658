//! Core values to bytes and back, between sensor and server, versioned.
