//! The elements of the document, in the order of its schema. Texts are in the characters of SEPA, so nothing in them
//! needs escaping.

use super::characters;
use super::payer::{SepaFile, WithoutBic};
use super::transfer::{MOST_NAME, Postal, Transfer};
use crate::money::Money;
use crate::payout_details::iban;
use crate::payouts::files::row::Head;

/// Writes `<name>text</name>` on a line of its own.
fn element(out: &mut Vec<u8>, name: &str, text: &str) {
    line(out, &["<", name, ">", text, "</", name, ">"]);
}

fn line(out: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'\n');
}

/// Everything before the first transfer.
pub(in crate::payouts::files) fn begin(payer: &SepaFile, head: &Head, out: &mut Vec<u8>) {
    let name = characters::cut(&payer.name, MOST_NAME);
    let (rows, total) = (head.rows.to_string(), Money { minor: head.total, currency: head.currency }.plain());
    let created = head.created.to_rfc3339_millis();
    line(out, &["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]);
    line(out, &["<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">"]);
    line(out, &["<CstmrCdtTrfInitn>\n<GrpHdr>"]);
    element(out, "MsgId", &head.id);
    element(out, "CreDtTm", &created);
    element(out, "NbOfTxs", &rows);
    element(out, "CtrlSum", &total);
    line(out, &["<InitgPty><Nm>", &name, "</Nm></InitgPty>"]);
    line(out, &["</GrpHdr>\n<PmtInf>"]);
    line(out, &["<PmtInfId>", &head.id, "-1</PmtInfId>"]);
    element(out, "PmtMtd", "TRF");
    element(out, "BtchBookg", if payer.batch_booking { "true" } else { "false" });
    element(out, "NbOfTxs", &rows);
    element(out, "CtrlSum", &total);
    line(out, &["<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"]);
    line(out, &["<ReqdExctnDt><Dt>", &head.execution.to_string(), "</Dt></ReqdExctnDt>"]);
    line(out, &["<Dbtr><Nm>", &name, "</Nm>", &address(payer.postal().as_ref()), "</Dbtr>"]);
    line(out, &["<DbtrAcct><Id><IBAN>", &iban::iban(&payer.iban).unwrap_or_default(), "</IBAN></Id></DbtrAcct>"]);
    let bic = payer.bic.as_deref().and_then(|bic| iban::bic(bic).ok());
    // The schema asks for the debtor's bank, known or not.
    line(out, &["<DbtrAgt>", &agent(bic.as_deref()), "</DbtrAgt>"]);
    element(out, "ChrgBr", "SLEV");
}

pub(in crate::payouts::files) fn transfer(payer: &SepaFile, to: &Transfer, out: &mut Vec<u8>) {
    line(out, &["<CdtTrfTxInf>"]);
    line(out, &["<PmtId><EndToEndId>", &to.end_to_end, "</EndToEndId></PmtId>"]);
    line(out, &["<Amt><InstdAmt Ccy=\"EUR\">", &to.amount, "</InstdAmt></Amt>"]);
    if to.bic.is_some() || payer.without_bic == WithoutBic::NotProvided {
        line(out, &["<CdtrAgt>", &agent(to.bic.as_deref()), "</CdtrAgt>"]);
    }
    line(out, &["<Cdtr><Nm>", &to.name, "</Nm>", &address(to.address.as_ref()), "</Cdtr>"]);
    line(out, &["<CdtrAcct><Id><IBAN>", &to.iban, "</IBAN></Id></CdtrAcct>"]);
    if !to.reference.is_empty() {
        line(out, &["<RmtInf><Ustrd>", &to.reference, "</Ustrd></RmtInf>"]);
    }
    line(out, &["</CdtTrfTxInf>"]);
}

/// Everything behind the last transfer.
pub(in crate::payouts::files) fn end(out: &mut Vec<u8>) {
    line(out, &["</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>"]);
}

fn agent(bic: Option<&str>) -> String {
    match bic {
        Some(bic) => format!("<FinInstnId><BICFI>{bic}</BICFI></FinInstnId>"),
        None => "<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>".to_owned(),
    }
}

fn address(postal: Option<&Postal>) -> String {
    let Some(Postal { postcode, town, country, lines }) = postal else { return String::new() };
    let postcode = if postcode.is_empty() { String::new() } else { format!("<PstCd>{postcode}</PstCd>") };
    let lines: String = lines.iter().map(|line| format!("<AdrLine>{line}</AdrLine>")).collect();
    format!("<PstlAdr>{postcode}<TwnNm>{town}</TwnNm><Ctry>{country}</Ctry>{lines}</PstlAdr>")
}
