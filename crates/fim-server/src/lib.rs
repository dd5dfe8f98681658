//! Ingest, control plane, authorisation, HTTP API and the web page.
