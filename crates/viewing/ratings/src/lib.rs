//! Ratings: thumbs, a title's score, and a profile's list.
