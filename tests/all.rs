//! The tests, one binary. Start with `support`: it makes the server, the databases and the people that
//! the other files speak of. `tests/run` runs everything on a bare machine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it found by failing")]

mod support;

mod account;
mod addresses;
mod browser;
mod browser_forms;
mod business;
mod calls;
mod campaigns;
mod cashfin;
mod check;
mod codes;
mod commands;
mod commissions;
mod docs;
mod engine;
mod events;
mod faults;
mod find;
mod first_steps;
mod forms;
mod found;
mod house;
mod imports;
mod inbox;
mod intake;
mod integrations;
mod jobs;
mod key_rights;
mod kill;
mod leads;
mod links;
mod lists;
mod lookup;
mod migrations;
mod payout_details;
mod payouts;
mod plans;
mod races;
mod readme;
mod ready_text;
mod record;
mod recount;
mod referral_factory;
mod referrers;
mod routes;
mod search;
mod secrets;
mod sign_in;
mod tables;
mod team;
mod test_data;
mod try_it;
mod v1;
