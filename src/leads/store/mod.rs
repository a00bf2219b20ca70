//! The SQL of leads, by page.

pub mod list;
pub mod listed;
pub mod meta;
pub mod one;
pub mod rows;
pub mod touches;

use crate::search::{Place, Texts};

/// Leads are found by what is known of them, and by the code that they came by.
pub const TEXTS: Texts =
    Texts { person: Place::Column("l.search"), code: Place::Rows("codes x WHERE x.id = l.code_id") };
