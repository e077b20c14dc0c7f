//! Traces: spans of this installation, kept in memory with a bound.
