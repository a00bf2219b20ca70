//! The rows that the resources are made of.

pub mod audit;
pub mod campaigns;
pub mod codes;
pub mod inbox;
pub mod leads;
pub mod money;
pub mod referrers;
pub mod touches;
