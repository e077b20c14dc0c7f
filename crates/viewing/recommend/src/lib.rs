//! Recommendations: the rows of a profile's home.
