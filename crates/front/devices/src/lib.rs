//! Device adapters: TV, mobile and web, each with the fields, artwork sizes and rows that its screen wants.
