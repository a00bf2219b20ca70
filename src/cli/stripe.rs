//! `refdesk stripe`: an account of Stripe's for a campaign, without a browser.

use serde_json::json;

use super::common::{actor, business, open, print_json, read_line};
use super::{NO, Refusal};
use crate::config::Config;
use crate::core::Core;
use crate::id::{self, Kind};
use crate::providers::Provider;
use crate::providers::accounts;
use crate::providers::store::LinkTerms;
use crate::providers::stripe::connect::{ByKey, NotConnected, by_key, leave, webhook_url};
use crate::{campaigns, products};

#[derive(clap::Subcommand)]
pub enum StripeVerb {
    /// Connect an account to a campaign; its key is read from standard input
    ///
    /// A restricted key is enough. Refdesk makes the webhook endpoint at Stripe, unless its secret is given.
    Connect(ConnectArgs),
    /// The accounts that are connected
    List(ListArgs),
    /// Take no more messages of an account
    Disconnect(DisconnectArgs),
}

#[derive(clap::Args)]
pub struct ConnectArgs {
    /// The campaign: its number, or campaign_…
    #[arg(long)]
    campaign: String,
    /// The signing secret of an endpoint that you made at Stripe: whsec_…
    #[arg(long)]
    webhook_secret: Option<String>,
    /// The product that payments are for [default: the campaign's first]
    #[arg(long)]
    product: Option<String>,
    /// Leave a lead's qualification to the campaign's rule when a code is used
    #[arg(long)]
    no_qualify_on_code: bool,
    /// Take the qualification back when the whole payment is refunded
    #[arg(long)]
    unqualify_on_refund: bool,
    /// Compute commissions from amounts with tax
    #[arg(long)]
    with_tax: bool,
    /// Compute commissions from amounts with shipping
    #[arg(long)]
    with_shipping: bool,
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

#[derive(clap::Args)]
pub struct ListArgs {
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

#[derive(clap::Args)]
pub struct DisconnectArgs {
    /// The account's number, as `refdesk stripe list` prints it
    account: i64,
    /// The business, where there are several
    #[arg(long)]
    business: Option<String>,
}

pub async fn stripe(config: Config, verb: StripeVerb) -> Result<(), Refusal> {
    let app = open(config).await?;
    match verb {
        StripeVerb::Connect(args) => connect(&app, args).await?,
        StripeVerb::List(args) => list(&app, &args).await?,
        StripeVerb::Disconnect(args) => disconnect(&app, &args).await?,
    }
    app.db.close().await;
    Ok(())
}

async fn connect(core: &Core, args: ConnectArgs) -> Result<(), Refusal> {
    let mut conn = core.db.read().await?;
    let business = business(&mut conn, args.business.as_deref()).await?;
    let wanted = args.campaign.trim();
    let campaign_id = wanted.parse().ok().or_else(|| id::parse(Kind::Campaign, wanted));
    let campaign = match campaign_id {
        Some(campaign_id) => campaigns::find(&mut conn, business.id, campaign_id).await?,
        None => None,
    };
    let Some(campaign) = campaign else { return Err(Refusal::unusable(format!("there is no campaign {wanted}"))) };
    let all = products::of_campaign(&mut conn, business.id, campaign.id).await?;
    drop(conn);
    let product = match &args.product {
        Some(wanted) => all.iter().find(|product| product.public_id == wanted.trim()),
        None => all.iter().min_by_key(|product| product.test),
    };
    let Some(product) = product else {
        return Err(Refusal::unusable(match args.product {
            Some(wanted) => format!("the campaign has no product {wanted}"),
            None => "the campaign has no product: add one first".to_owned(),
        }));
    };
    let secret = args.webhook_secret.map(|secret| secret.trim().to_owned());
    if secret.as_deref().is_some_and(|secret| !secret.starts_with("whsec_")) {
        return Err(Refusal::unusable("--webhook-secret is no signing secret of Stripe's: it begins with whsec_"));
    }
    let key = read_line("The key of Stripe's API (it is shown as you type):")?;
    let terms = LinkTerms {
        product_id: product.id,
        qualify_on_code: !args.no_qualify_on_code,
        unqualify_on_refund: args.unqualify_on_refund,
        with_tax: args.with_tax,
        with_shipping: args.with_shipping,
    };
    let new = ByKey {
        business_id: business.id,
        business: business.public_id.clone(),
        campaign_id: campaign.id,
        key,
        webhook_secret: secret,
        terms: Some(terms),
    };
    match by_key(core, &actor("stripe connect"), new).await? {
        Ok(done) => print_json(&json!({
            "id": done.account_id,
            "provider": Provider::Stripe.word(),
            "account": text_or_null(&done.facts.id),
            "name": text_or_null(&done.facts.name),
            "mode": mode(done.test),
            "businessId": business.public_id,
            "campaignId": campaign.id,
            "productId": done.product,
            "webhookUrl": webhook_url(&core.config.public_url, Provider::Stripe, &business.public_id),
            "webhookEndpoint": text_or_null(&done.endpoint),
        })),
        Err(why @ (NotConnected::Key(_) | NotConnected::Desk(_))) => Err(Refusal::unusable(why.to_string())),
        Err(why) => Err(Refusal { code: NO, why: why.to_string() }),
    }
}

fn text_or_null(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn mode(test: bool) -> &'static str {
    if test { "test" } else { "live" }
}

async fn list(core: &Core, args: &ListArgs) -> Result<(), Refusal> {
    let mut conn = core.db.read().await?;
    let business = business(&mut conn, args.business.as_deref()).await?;
    let all = accounts::of(&mut conn, business.id).await?;
    let of_stripe = all.iter().filter(|account| account.row.provider == Provider::Stripe);
    let accounts = of_stripe.map(|account| {
        json!({
            "id": account.row.id,
            "account": text_or_null(&account.row.account),
            "name": text_or_null(&account.row.name),
            "mode": mode(account.row.test),
            "connected": account.is_connected(),
            "campaigns": account.links.iter().map(|link| link.campaign_id).collect::<Vec<_>>(),
            "webhookUrl": webhook_url(&core.config.public_url, Provider::Stripe, &business.public_id),
        })
    });
    print_json(&json!({ "accounts": accounts.collect::<Vec<_>>() }))
}

async fn disconnect(core: &Core, args: &DisconnectArgs) -> Result<(), Refusal> {
    let business = business(&mut core.db.read().await?, args.business.as_deref()).await?;
    if leave(core, &actor("stripe disconnect"), business.id, args.account).await? {
        return print_json(&json!({ "id": args.account, "connected": false }));
    }
    Err(Refusal { code: NO, why: format!("there is no connected account {}", args.account) })
}
