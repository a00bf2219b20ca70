//! Uploaded files and the outcome of each of their rows.
//!
//! A file is read ([`table`]) straight into `import_rows` ([`upload`]), its columns are given a meaning
//! ([`mapping`]), a dry run predicts the outcome of each row, and the run applies it. Dry run and run are the
//! same job step ([`chunk`]): it reads the next rows ([`read`] turns cells into a person, `resolve` and
//! `referrers` find the rows they are about), hands events to the engine, and marks the rows in the same
//! transaction. So a node may die at any point, and a file may come twice.

mod chunk;
mod import;
pub mod mapping;
mod outcome;
pub mod pages;
mod paid;
mod read;
mod referrers;
mod rejects;
mod resolve;
mod store;
pub mod table;
mod tidy;
mod upload;
mod verbs;

pub use chunk::{CHECK, RUN, check_step, run_step};
pub use import::{Import, Kind, NewImport, Options};
pub use mapping::Mapping;
pub use outcome::{Counts, Fate};
pub use rejects::rejects;
pub use store::{RowLine, campaign_of, find, listing, next_rows, rejected_rows, rows_with};
pub use tidy::tidy;
pub use upload::{limits, stage};
pub use verbs::{Asked, ask_check, ask_run, ask_run_at_once, discard, set_columns};
