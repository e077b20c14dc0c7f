//! Search, as the viewer types: only what may be watched here and now.
