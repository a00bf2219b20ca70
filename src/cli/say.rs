//! The output of commands. A reader who has read enough (`| head`) ends the command quietly; a full disk is said.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stdout};
use std::process::exit;

use super::refusal::{DONE, UNUSABLE};

/// Prints to standard output.
pub fn print(text: Arguments<'_>) {
    let mut out = stdout().lock();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.flush()) {
        if error.kind() == ErrorKind::BrokenPipe {
            exit(i32::from(DONE));
        }
        let _ = writeln!(std::io::stderr(), "refdesk: standard output: {error}");
        exit(i32::from(UNUSABLE));
    }
}

/// Prints a line to standard output.
macro_rules! say {
    ($($said:tt)*) => { $crate::cli::say::print(format_args!("{}\n", format_args!($($said)*))) };
}
pub(crate) use say;
