//! A typed plan to DataFusion to rows, within limits.
