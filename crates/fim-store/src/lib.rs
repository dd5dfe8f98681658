//! The log store: tables, ingest buffer, commit, retention.
