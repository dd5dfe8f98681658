//! How many files may be open at once.

/// Lets this process have as many files open as it may. Windows sets no limit that it would come near.
pub fn raise_open_files() {}
