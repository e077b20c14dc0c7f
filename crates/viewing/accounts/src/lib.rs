//! Accounts: who may sign in, their profiles and their devices.
