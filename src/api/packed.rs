//! Bodies in a content encoding. The guard unpacks them, so that every reader of a call sees plain bytes and the limit of
//! the call holds for the unpacked ones.

use std::io::Read;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::problem::Problem;
use super::read::{too_large, unread};

/// The encodings that are read, as the header of a refusal lists them.
pub const READ: HeaderValue = HeaderValue::from_static("gzip, deflate");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
}

/// The request with a plain body of at most `largest` bytes, or with the body as it is where it has no encoding.
pub async fn unpacked(request: Request, largest: usize) -> Result<Request, Problem> {
    let Some(encoding) = encoding(request.headers())? else { return Ok(request) };
    let (mut parts, body) = request.into_parts();
    let packed = to_bytes(body, largest).await.map_err(|error| unread(&error))?;
    // Megabytes take a while, in which other calls go on.
    let unpacking = tokio::task::spawn_blocking(move || unpack(encoding, &packed, largest));
    let plain = unpacking.await.unwrap_or_else(|_| Err(broken(encoding)))?;
    parts.headers.remove(header::CONTENT_ENCODING);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(plain.len()));
    Ok(Request::from_parts(parts, Body::from(plain)))
}

fn encoding(headers: &HeaderMap) -> Result<Option<Encoding>, Problem> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let names: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    match names.as_slice() {
        [] => Ok(None),
        [name] if name == "gzip" || name == "x-gzip" => Ok(Some(Encoding::Gzip)),
        [name] if name == "deflate" => Ok(Some(Encoding::Deflate)),
        names => {
            let named: String = names.join(", ").chars().filter(|c| !c.is_control()).take(60).collect();
            let message = format!(
                "The content encoding {named} is not read here. Send the body as it is, or with gzip or deflate."
            );
            Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
    }
}

/// Unpacks up to the limit and no further.
fn unpack(encoding: Encoding, packed: &Bytes, largest: usize) -> Result<Vec<u8>, Problem> {
    let most = largest as u64 + 1;
    let mut plain = Vec::new();
    let read = match encoding {
        _ if packed.is_empty() => Ok(0),
        Encoding::Gzip => MultiGzDecoder::new(&packed[..]).take(most).read_to_end(&mut plain),
        Encoding::Deflate if is_zlib(packed) => ZlibDecoder::new(&packed[..]).take(most).read_to_end(&mut plain),
        // Some programs send the bare stream under this name.
        Encoding::Deflate => DeflateDecoder::new(&packed[..]).take(most).read_to_end(&mut plain),
    };
    match read {
        Ok(_) if plain.len() > largest => Err(too_large()),
        Ok(_) => Ok(plain),
        Err(_) => Err(broken(encoding)),
    }
}

fn is_zlib(packed: &[u8]) -> bool {
    matches!(packed, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

fn broken(encoding: Encoding) -> Problem {
    let name = match encoding {
        Encoding::Gzip => "gzip",
        Encoding::Deflate => "deflate",
    };
    Problem::of(
        StatusCode::BAD_REQUEST,
        format!("The body is not whole {name} data, which its Content-Encoding promises."),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn status(encoding: Encoding, packed: &[u8], largest: usize) -> Result<Vec<u8>, u16> {
        unpack(encoding, &Bytes::copy_from_slice(packed), largest).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn each_form_is_unpacked_to_its_limit() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"{\"a\": 1}").unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(b"{\"a\": 1}").unwrap();
        for (encoding, packed) in [
            (Encoding::Gzip, gzip(b"{\"a\": 1}")),
            (Encoding::Gzip, [gzip(b"{\"a\""), gzip(b": 1}")].concat()),
            (Encoding::Deflate, zlib.finish().unwrap()),
            (Encoding::Deflate, bare.finish().unwrap()),
        ] {
            assert_eq!(status(encoding, &packed, 8), Ok(b"{\"a\": 1}".to_vec()));
            assert_eq!(status(encoding, &packed, 7), Err(413));
            assert_eq!(status(encoding, &packed[..packed.len() - 3], 100), Err(400), "cut off");
        }
        assert_eq!(status(Encoding::Gzip, b"{\"a\": 1}", 100), Err(400), "plain text");
        assert_eq!(status(Encoding::Gzip, b"", 100), Ok(Vec::new()));
        assert_eq!(status(Encoding::Gzip, &gzip(&vec![b' '; 1 << 24]), 1 << 16), Err(413), "far more than it seems");
    }

    #[test]
    fn encodings_are_told_by_their_names() {
        let of = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(line).unwrap());
            }
            encoding(&headers).map_err(|problem| problem.message)
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["identity"]), Ok(None));
        assert_eq!(of(&["GZIP"]), Ok(Some(Encoding::Gzip)));
        assert_eq!(of(&["x-gzip, identity"]), Ok(Some(Encoding::Gzip)));
        assert_eq!(of(&["deflate"]), Ok(Some(Encoding::Deflate)));
        for lines in [&["br"][..], &["gzip, gzip"], &["gzip", "br"], &["zstd"]] {
            let message = of(lines).unwrap_err();
            assert!(message.contains(lines[lines.len() - 1].split(',').next().unwrap()), "{message}");
        }
    }
}
