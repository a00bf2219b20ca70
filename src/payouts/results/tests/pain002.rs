use proptest::prelude::*;

use super::money;
use crate::payouts::results::{Outcome, ReadError, Report, Reported, Whole, pain002};

fn answer(group: &str, payments: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\n<CstmrPmtStsRpt>\n\
         <GrpHdr><MsgId>BANK1</MsgId><CreDtTm>2026-12-01T09:00:00</CreDtTm></GrpHdr>\n\
         <OrgnlGrpInfAndSts><OrgnlMsgId>refdesk-12</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}\
         </OrgnlGrpInfAndSts>\n{payments}</CstmrPmtStsRpt></Document>"
    )
}

fn transfer(id: &str, rest: &str) -> String {
    format!("<TxInfAndSts>\n<OrgnlEndToEndId>{id}</OrgnlEndToEndId>{rest}</TxInfAndSts>\n")
}

fn payment(status: &str, transfers: &[String]) -> String {
    let transfers = transfers.concat();
    format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>refdesk-12-1</OrgnlPmtInfId>{status}{transfers}</OrgnlPmtInfAndSts>")
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed(reason.to_owned())
}

const REJECTED: &str = "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Konto &amp; Kunde &#252;ber\
    </AddtlInf></StsRsnInf><AcctSvcrRef>B-77</AcctSvcrRef><OrgnlTxRef><Amt><InstdAmt Ccy=\"EUR\">11.20</InstdAmt></Amt>\
    <Cdtr><Pty><Nm>Jan Jansen</Nm></Pty></Cdtr></OrgnlTxRef>";

#[test]
fn each_transfer_has_its_status_or_its_payments() {
    let transfers = [transfer("pl-1", "<TxSts>ACSC</TxSts>"), transfer("PL-2", REJECTED), transfer("pl-3", "")];
    let group = "<GrpSts>PART</GrpSts>";
    let file = answer(group, &payment("<PmtInfSts>ACSP</PmtInfSts>", &transfers));
    let Report { rows, whole, unread } = pain002(file.as_bytes()).unwrap();
    assert_eq!(
        rows[1],
        Reported {
            at: 8,
            line: Some("PL-2".to_owned()),
            batch: Some("refdesk-12".to_owned()),
            recipient: Some("Jan Jansen".to_owned()),
            amount: Some(money(1_120, "EUR")),
            outcome: failed("AC04, the account is closed; Konto & Kunde über"),
            reference: "B-77".to_owned(),
        }
    );
    let outcomes: Vec<&Outcome> = rows.iter().map(|row| &row.outcome).collect();
    assert_eq!(outcomes[0], &Outcome::Paid);
    assert_eq!(outcomes[2], &Outcome::Pending);
    assert_eq!(whole, Some(Whole { batch: "refdesk-12".to_owned(), outcome: Outcome::Pending }));
    assert!(unread.is_empty());
}

#[test]
fn a_status_of_the_file_or_the_payment_stands_alone() {
    let reason = "<StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf>";
    let whole =
        |group: &str, payments: &str| pain002(answer(group, payments).as_bytes()).unwrap().whole.unwrap().outcome;
    let rejected = failed("FF01, the file has a wrong format");
    assert_eq!(whole(&format!("<GrpSts>RJCT</GrpSts>{reason}"), ""), rejected);
    assert_eq!(whole("", &payment(&format!("<PmtInfSts>RJCT</PmtInfSts>{reason}"), &[])), rejected);
    assert_eq!(whole("<GrpSts>ACSC</GrpSts>", ""), Outcome::Paid);
    assert_eq!(whole("<GrpSts>ACCP</GrpSts>", &payment("<PmtInfSts>ACSC</PmtInfSts>", &[])), Outcome::Paid);
    assert_eq!(pain002(answer("", "").as_bytes()).unwrap().whole, None);
    let both = payment("<PmtInfSts>RJCT</PmtInfSts>", &[]) + &payment("<PmtInfSts>ACSC</PmtInfSts>", &[]);
    assert_eq!(pain002(answer("", &both).as_bytes()).unwrap().whole, None);
}

#[test]
fn what_is_no_answer_of_a_bank_is_refused() {
    let good = answer("<GrpSts>ACSC</GrpSts>", "");
    let refused = |text: &str| pain002(text.as_bytes()).unwrap_err();
    let bomb =
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Document>&b;</Document>";
    assert!(matches!(refused(bomb), ReadError::Doctype));
    assert!(matches!(refused(&good.replace("refdesk-12", "&lol;")), ReadError::Xml(_)));
    assert!(matches!(refused(&good.replace("pain.002", "pain.001")), ReadError::NotPain002));
    assert!(matches!(refused(&good.replace("refdesk-12", "")), ReadError::NoMessageId));
    assert!(matches!(refused(&good[..good.len() - 12]), ReadError::Xml(_)));
    assert!(matches!(refused(""), ReadError::NotPain002));
    assert!(matches!(refused("Date,Status\n1,2\n"), ReadError::NotPain002));
    let deep = good.replace("<GrpSts>", &"<a>".repeat(100));
    assert!(matches!(refused(&deep), ReadError::TooDeep));
    let large = vec![b' '; (50 << 20) + 1];
    assert!(matches!(pain002(&large), Err(ReadError::TooLarge)));
}

#[test]
fn the_encoding_of_the_file_is_obeyed() {
    let text = answer("<GrpSts>RJCT</GrpSts><StsRsnInf><AddtlInf>Prüfung</AddtlInf></StsRsnInf>", "");
    let latin = text.replace("UTF-8", "ISO-8859-1");
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let prefixed = text.replace("<Document xmlns=", "<p:Document xmlns:p=").replace("</Document", "</p:Document");
    let with_mark = format!("\u{feff}{text}");
    for bytes in [text.as_bytes(), &latin, prefixed.as_bytes(), with_mark.as_bytes()] {
        assert_eq!(pain002(bytes).unwrap().whole.unwrap().outcome, failed("Prüfung"));
    }
    let damaged: Vec<u8> = text.bytes().map(|byte| if byte == 0xc3 { 0xff } else { byte }).collect();
    assert!(matches!(pain002(&damaged), Err(ReadError::Encoding)));
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..600) {
        let _ = pain002(&bytes);
        let mut text = answer("<GrpSts>RJCT</GrpSts>", &payment("", &[transfer("pl-1", REJECTED)])).into_bytes();
        let cut = cut.min(text.len());
        text.splice(cut..cut, bytes);
        let _ = pain002(&text);
    }
}
