//! The SQL of the engine: [`load`] reads what a slice is about, [`save`] writes what was decided. Both
//! are set-wise: a slice of one event and a slice of two hundred are the same few statements.

pub mod contacts;
pub mod load;
pub mod purge;
pub mod save;
mod touches;
mod wanted;
