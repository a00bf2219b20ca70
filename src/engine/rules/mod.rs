//! Decisions that several events share. All of it is pure: facts in, facts and writes out. The arrows run one
//! way: audit and commissions, then attribution, qualification, payments, refunds.

pub mod attribution;
pub mod audit;
pub mod commission;
pub mod customer_reward;
pub mod dispute;
pub mod earning;
pub mod leads;
pub mod qualification;
pub mod refunds;
