//! Commands. `refdesk` alone serves.

mod backup;
mod check;
mod common;
mod demo;
mod export;
mod generate;
mod import;
mod key;
mod payout;
mod recount;
mod refusal;
mod say;
mod secrets;
mod serve;
mod setup;
mod stripe;
mod sweep;
mod user;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Settings};

pub use refusal::{DONE, NO, Refusal, UNUSABLE};
use say::say;

#[derive(Parser)]
#[command(name = "refdesk", version, about = "A self-hosted referral desk")]
struct Command {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Migrate, then serve (the default)
    Serve,
    /// Bring the database to this program's schema
    Migrate,
    /// Copy a SQLite database into one file, while the server runs
    Backup(backup::BackupArgs),
    /// Put a backup in the database's place; the old database stays beside it
    Restore(backup::RestoreArgs),
    /// Prove the invariants of money and attribution over the whole database
    Check(check::Args),
    /// Count every counter anew from the rows, while the server runs, and say what was wrong
    Recount(recount::Args),
    /// Serve a throw-away database filled with a believable business
    Demo,
    /// Deterministic load data in the first business
    GenerateData(generate::Args),
    /// Upload a file: leads, referrers, or customers to qualify
    Import(import::Args),
    /// Write a list to standard output: leads, referrers, codes, commissions or payments
    #[command(subcommand)]
    Export(export::ExportVerb),
    /// Print the OpenAPI document of every API
    Openapi,
    /// First business, owner, campaign, product and key; the password is read from standard input
    Setup(setup::Args),
    /// Approve the commissions whose hold is over
    Sweep(sweep::Args),
    /// Users: list, reset a password, sign out, invite
    #[command(subcommand)]
    User(user::UserVerb),
    /// API keys: list, make, revoke, rotate
    #[command(subcommand)]
    Key(key::KeyVerb),
    /// Payouts: draft, lock, files, reports, paid, close
    #[command(subcommand)]
    Payout(payout::PayoutVerb),
    /// The key that payout details and your own accounts are encrypted with: new, rotate
    #[command(subcommand)]
    Secrets(secrets::SecretsVerb),
    /// Accounts of Stripe's: connect, list, disconnect
    #[command(subcommand)]
    Stripe(stripe::StripeVerb),
    /// Businesses beside the first one
    #[command(subcommand)]
    Business(setup::BusinessVerb),
}

pub fn main() -> ExitCode {
    let command = Command::parse();
    let outcome = configure(command.settings).and_then(|config| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|e| Refusal::unusable(format!("no runtime: {e}")))?;
        runtime.block_on(run(command.verb.unwrap_or(Verb::Serve), config))
    });
    match outcome {
        Ok(()) => ExitCode::from(DONE),
        Err(refusal) => {
            eprintln!("refdesk: {}", refusal.why);
            ExitCode::from(refusal.code)
        }
    }
}

fn configure(settings: Settings) -> Result<Config, Refusal> {
    let path = Path::new("refdesk.toml");
    let file = match std::fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|e| Refusal::unusable(format!("refdesk.toml: {e}")))?,
        Err(_) => Settings::default(),
    };
    settings.or(file).checked().map_err(Refusal::unusable)
}

async fn run(verb: Verb, config: Config) -> Result<(), Refusal> {
    match verb {
        Verb::Serve => serve::serve(config).await,
        Verb::Migrate => Ok(crate::db::migrate(&config.database_url).await?),
        Verb::Backup(args) => backup::backup(config, args).await,
        Verb::Restore(args) => backup::restore(config, args).await,
        Verb::Check(args) => check::check(config, args).await,
        Verb::Recount(args) => recount::recount(config, &args).await,
        Verb::GenerateData(args) => generate::generate(config, args).await,
        Verb::Demo => demo::demo(config).await,
        Verb::Setup(args) => setup::setup(config, args, true).await,
        Verb::Import(args) => import::import(config, args).await,
        Verb::Export(verb) => export::export(config, verb).await,
        Verb::Openapi => openapi(&config),
        Verb::Sweep(args) => sweep::sweep(config, &args).await,
        Verb::User(verb) => user::user(config, verb).await,
        Verb::Key(verb) => key::key(config, verb).await,
        Verb::Payout(verb) => payout::payout(config, verb).await,
        Verb::Secrets(verb) => secrets::secrets(config, verb).await,
        Verb::Stripe(verb) => stripe::stripe(config, verb).await,
        Verb::Business(setup::BusinessVerb::Add(args)) => setup::setup(config, args, false).await,
    }
}

fn openapi(config: &Config) -> Result<(), Refusal> {
    say!("{:#}", crate::api::openapi(&config.public_url));
    Ok(())
}
