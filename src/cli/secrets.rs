//! `refdesk secrets`: the key under which payout details and your own accounts are stored.

use serde_json::json;

use super::common::{actor, open, print_json};
use super::say::say;
use super::{NO, Refusal};
use crate::config::Config;
use crate::core::Core;
use crate::secret_key::SecretKey;
use crate::secrets::{self, Refused, Rotation};
use crate::text::counted;

#[derive(clap::Subcommand)]
pub enum SecretsVerb {
    /// Print a new key, for REFDESK_SECRET_KEY
    New,
    /// Encrypt payout details and your own accounts with a new key
    ///
    /// Beside SQLite the new key is made in the key file, and the old one goes when nothing needs it. With
    /// REFDESK_SECRET_KEY set it to NEW,OLD on every node first, start them again, rotate, and set it to NEW.
    /// May be interrupted and repeated, while the server runs.
    Rotate(RotateArgs),
}

#[derive(clap::Args)]
pub struct RotateArgs {
    /// Go on although a key is lost: what was encrypted with it must be entered anew
    #[arg(long)]
    lost_key: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub async fn secrets(config: Config, verb: SecretsVerb) -> Result<(), Refusal> {
    match verb {
        SecretsVerb::New => {
            say!("{}", SecretKey::draw().hex());
            Ok(())
        }
        SecretsVerb::Rotate(args) => {
            let app = open(config).await?;
            rotate(&app, &args).await
        }
    }
}

async fn rotate(core: &Core, args: &RotateArgs) -> Result<(), Refusal> {
    let rotation = match Rotation::begin(core, &actor("secrets rotate"), args.lost_key).await? {
        Ok(rotation) => rotation,
        Err(refused) => return refuse(refused, args),
    };
    let key = rotation.key.clone();
    let told = |done| {
        if !args.json && done > 0 && done % 10_000 == 0 {
            eprintln!("{done} …");
        }
    };
    let tally = secrets::reseal(core, &key, told).await?.map_err(Refusal::unusable)?;
    let is_only_key = rotation.end(core).await?.map_err(Refusal::unusable)?;
    if args.json {
        print_json(&json!({
            "key": key.id(),
            "encrypted": tally.done,
            "unreadable": tally.unreadable,
            "oldKeysGone": is_only_key && !core.keyring.is_given(),
        }))?;
    } else {
        let count = i64::try_from(tally.done).unwrap_or(i64::MAX);
        say!(
            "{} payout details and settings of payout files were encrypted anew, with the key {}.",
            counted(count),
            key.id()
        );
        say!("{}", rest(core, is_only_key));
    }
    if tally.unreadable == 0 || args.lost_key {
        return Ok(());
    }
    let why = format!("{} encrypted texts do not open with their keys, and were left as they are", tally.unreadable);
    Err(Refusal { code: NO, why })
}

fn rest(core: &Core, is_only_key: bool) -> String {
    match (core.keyring.file(), is_only_key) {
        (_, false) => "The old keys were kept, since some texts do not open.".to_owned(),
        (Some(file), true) if !core.keyring.is_given() => {
            format!("The old key is gone from {}: keep a copy of the file apart from backups.", file.display())
        }
        _ => "Leave this key alone in REFDESK_SECRET_KEY on every node now, and start them again.".to_owned(),
    }
}

fn refuse(refused: Refused, args: &RotateArgs) -> Result<(), Refusal> {
    let why = match refused {
        Refused::Nothing if args.json => return print_json(&json!({ "encrypted": 0 })),
        Refused::Nothing => {
            say!("Nothing was ever stored encrypted, so there is nothing to encrypt.");
            return Ok(());
        }
        Refused::Busy => "another rotation is running on this machine".to_owned(),
        Refused::NoNewKey(key) => format!(
            "put a new key in front of the old one in REFDESK_SECRET_KEY, on every node, and start them again, like \
             REFDESK_SECRET_KEY={},OLD. Then rotate.",
            key.hex()
        ),
        Refused::Unreadable(keys) => {
            let keys: Vec<String> = keys.iter().map(|(id, count)| format!("{id} ({} rows)", counted(*count))).collect();
            format!(
                "a key that some texts are encrypted with is not here: {}. Put it back, in the key file or behind the \
                 other in REFDESK_SECRET_KEY. If it is lost for good, --lost-key goes on without those texts.",
                keys.join(", ")
            )
        }
        Refused::Lack(why) => why,
    };
    Err(Refusal::unusable(why))
}
