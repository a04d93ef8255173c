//! How to make programs and systems trust the certificate authority.

use crate::cli::TrustTarget;

/// Each target with its instructions. `CERTIFICATE` stands for the file, `SPKI` for the hash of the
/// key.
const TARGETS: [(TrustTarget, &str, &str); 9] = [
    (
        TrustTarget::Chromium,
        "Chromium, Chrome, Edge",
        "# for one run, with a separate profile; without the bypass list, localhost skips the proxy\n\
         chromium --user-data-dir=\"$(mktemp -d)\" --proxy-server=http://127.0.0.1:PORT \\\n  \
         --proxy-bypass-list='<-loopback>' --ignore-certificate-errors-spki-list=SPKI\n\
         # for all runs on Linux (certutil is in libnss3-tools)\n\
         certutil -d sql:\"$HOME/.pki/nssdb\" -A -t C,, -n wscope -i CERTIFICATE\n",
    ),
    (
        TrustTarget::Firefox,
        "Firefox",
        "# Settings, Privacy & Security, View Certificates, Authorities, Import: CERTIFICATE\n\
         # or for a profile, while Firefox does not run\n\
         certutil -d sql:PROFILE -A -t C,, -n wscope -i CERTIFICATE\n\
         # for localhost, set network.proxy.allow_hijacking_localhost in about:config\n",
    ),
    (
        TrustTarget::Node,
        "Node.js",
        "export NODE_EXTRA_CA_CERTS=CERTIFICATE\n\
         # the proxy: fetch and http of Node.js 24 read it with NODE_USE_ENV_PROXY=1; the package ws needs\n\
         #   new WebSocket(url, { agent: new HttpsProxyAgent('http://127.0.0.1:PORT') })\n",
    ),
    (
        TrustTarget::Python,
        "Python",
        "eval \"$(wscope ca env PORT)\"   # requests, websocket-client and ssl read the variables\n\
         # in code: websockets.connect(url, ssl=ssl.create_default_context(cafile=\"CERTIFICATE\"))\n",
    ),
    (
        TrustTarget::Curl,
        "curl",
        "curl --proxy http://127.0.0.1:PORT --cacert CERTIFICATE https://HOST/\n",
    ),
    (
        TrustTarget::Java,
        "Java",
        "keytool -importcert -noprompt -alias wscope -file CERTIFICATE -keystore wscope.jks -storepass changeit\n\
         java -Djavax.net.ssl.trustStore=wscope.jks -Djavax.net.ssl.trustStorePassword=changeit \\\n  \
         -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=PORT ...\n",
    ),
    (
        TrustTarget::Debian,
        "Debian, Ubuntu: all programs that use the system's certificates",
        "sudo cp CERTIFICATE /usr/local/share/ca-certificates/wscope.crt && sudo update-ca-certificates\n\
         # to undo it\n\
         sudo rm /usr/local/share/ca-certificates/wscope.crt && sudo update-ca-certificates --fresh\n",
    ),
    (
        TrustTarget::Macos,
        "macOS: this user",
        "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db CERTIFICATE\n\
         # to undo it\n\
         security remove-trusted-cert CERTIFICATE\n",
    ),
    (
        TrustTarget::Windows,
        "Windows: for this user, after you have copied the certificate there",
        "certutil -user -addstore Root wscope-ca.pem\n\
         # to undo it: certmgr.msc, Trusted Root Certification Authorities\n",
    ),
];

/// The instructions for one target, or for all.
pub fn text(target: Option<TrustTarget>, path: &str, spki: &str) -> String {
    let wanted = TARGETS.iter().filter(|(name, ..)| target.is_none_or(|target| target == *name));
    let parts = wanted.map(|(_, title, steps)| {
        let steps = steps.replace("CERTIFICATE", path).replace("SPKI", spki);
        format!("{title}\n\n{steps}")
    });
    let parts: Vec<String> = parts.collect();
    format!(
        "{}\nPORT is the port of `wscope proxy PORT`. Anyone who has the key of this authority can read and\n\
         change the TLS traffic of all programs that trust it: trust it only for tests, and undo that\n\
         afterwards.\n",
        parts.join("\n")
    )
}
