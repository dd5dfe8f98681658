//! An append-only log of records in segments, on a disk that can fail.
