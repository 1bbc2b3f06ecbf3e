//! Signatures over requests.

use ring::hmac;

/// Twilio's request signature: Base64 of HMAC-SHA1, keyed with the account's token, over the full URL
/// followed by every form field's name and value, sorted by name.
/// Source: Twilio's documentation, "Validating requests".
pub(super) fn twilio(auth_token: &[u8], url: &str, form: &[u8]) -> String {
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = form
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            (decode(&pair[..at]), decode(pair.get(at + 1..).unwrap_or_default()))
        })
        .collect();
    fields.sort();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token);
    let mut context = hmac::Context::with_key(&key);
    context.update(url.as_bytes());
    for (name, value) in &fields {
        context.update(name);
        context.update(value);
    }
    proofload_core::template::base64_encode(context.sign().as_ref())
}

/// Undoes `application/x-www-form-urlencoded`; a stray `%` stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let pair = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, pair.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_twilios_own_example() {
        // The example of Twilio's documentation on validating requests.
        let form = b"Digits=1234&To=%2B18005551212&From=%2B14158675310&Caller=%2B14158675310\
            &CallSid=CA1234567890ABCDE";
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(twilio(b"12345", url, form), "GvWf1cFY/Q7PnoempGyD5oXAezc=");
    }

    #[test]
    fn decodes_forms() {
        assert_eq!(decode(b"a+b%20c%2"), b"a b c%2");
        assert_eq!(decode(b"100%"), b"100%");
    }
}
