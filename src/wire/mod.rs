//! Bytes and RFC rules.
