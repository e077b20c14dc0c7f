//! The lake: events as Parquet on the object store, by topic and day.
