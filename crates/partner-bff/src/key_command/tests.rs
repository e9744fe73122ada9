use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// Settings with two partners, and a keys file beside them.
struct Shop {
    directory: TempDir,
    settings: Settings,
}

impl Shop {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("partner-bff.toml");
        let partner = |name: &str| {
            format!(
                "[partners.{name}]\naccount = 'acct_{name}'\nclient_id = '{name}'\nclient_secret = 'hush'\n"
            )
        };
        let upstreams =
            ["orders", "catalog", "usage"].map(|name| format!("{name}.url = 'http://127.0.0.1:1'\n"));
        let text = format!(
            "[identity]\nissuer = 'http://127.0.0.1:1'\nclient_secret = 'hush'\n[upstreams]\n{}{}{}\
             [api_keys]\nfile = 'keys/partner-keys.toml'\n",
            upstreams.concat(),
            partner("acme"),
            partner("globex")
        );
        fs::create_dir(directory.path().join("keys")).unwrap();
        fs::write(&file, text).unwrap();
        let settings = service_runtime::settings::load(Some(&file), [].into_iter()).unwrap();
        Self { directory, settings }
    }

    /// What a command line says on standard output and on standard error, or why it fails.
    fn run(&self, line: &str) -> Result<(String, String), String> {
        let ServiceCommand { arguments, run } = key();
        let arguments = arguments.try_get_matches_from(line.split(' ')).map_err(|error| error.to_string())?;
        let (mut out, mut err) = (vec![], vec![]);
        let done = run(&self.settings, &arguments, &mut Output { out: &mut out, err: &mut err });
        done.map_err(|error| error.to_string())?;
        Ok((String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap()))
    }

    /// The id of a new key.
    fn new_key(&self, arguments: &str) -> String {
        let (out, _) = self.run(&format!("key new {arguments}")).unwrap();
        out.strip_prefix("tpk_").unwrap().split_once('_').unwrap().0.to_owned()
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("keys/partner-keys.toml")
    }

    fn failure(&self, line: &str) -> String {
        let line = self.run(line).unwrap_err();
        line.replace(&self.directory.path().display().to_string(), "…")
    }
}

#[test]
fn a_key_is_shown_once_and_its_hash_is_kept() {
    let shop = Shop::new();
    let (out, err) =
        shop.run("key new --partner acme --scope orders:read --scope catalog:read --expires 90d").unwrap();
    let key = out.strip_suffix('\n').unwrap();
    let (id, secret) = key.strip_prefix("tpk_").unwrap().split_once('_').unwrap();
    assert!(id.len() >= 8 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
    assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()), "{secret}");
    assert!(err.contains(&format!("Key {id} of acme, for orders:read catalog:read, until 20")), "{err}");
    assert!(!err.contains(secret));

    let text = fs::read_to_string(shop.file()).unwrap();
    assert!(!text.contains(secret) && text.contains(&identity::SecretHash::of(secret).to_string()), "{text}");
    assert_eq!(fs::metadata(shop.file()).unwrap().permissions().mode() & 0o777, 0o600);
    let (list, _) = shop.run("key list").unwrap();
    let lines: Vec<_> = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!(lines[0], ["ID", "PARTNER", "SCOPES", "CREATED", "EXPIRES", "STATE"]);
    assert_eq!(lines[1][..4], [id, "acme", "orders:read", "catalog:read"]);
    assert_eq!(lines[1][6], "active");
    assert!(!list.contains(&identity::SecretHash::of(secret).to_string()[..8]), "{list}");
}

#[test]
fn a_key_is_replaced_in_three_commands() {
    let shop = Shop::new();
    let old = shop.new_key("--partner acme --scope orders:read");
    let new = shop.new_key("--partner acme --scope orders:read");
    let third = shop.failure("key new --partner acme --scope orders:read");
    assert_eq!(third, format!("acme has 2 active keys, {old}, {new}: revoke one first"));
    shop.new_key("--partner globex --scope orders:read");

    let (out, err) = shop.run(&format!("key revoke {old}")).unwrap();
    assert_eq!(out, "");
    assert!(err.starts_with(&format!("Key {old} of acme is revoked.")), "{err}");
    shop.new_key("--partner acme --scope usage:read");
    let (list, _) = shop.run("key list").unwrap();
    let states: Vec<_> = list.lines().skip(1).filter_map(|line| line.split_whitespace().last()).collect();
    assert_eq!(states, ["revoked", "active", "active", "active"]);
}

#[test]
fn what_cannot_be_is_one_clear_line_and_changes_nothing() {
    let shop = Shop::new();
    shop.new_key("--partner acme --scope orders:read");
    let text = fs::read_to_string(shop.file()).unwrap();
    let lines = [
        "key new --partner initech --scope orders:read",
        "key new --partner acme --scope orders:delete",
        "key new --partner acme --scope orders:read --expires=-1d",
        "key revoke nobody",
    ];
    let lines: Vec<_> = lines.iter().map(|line| shop.failure(line)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    there is no partner "initech"; the settings have: acme, globex
    there is no scope "orders:delete"; there are: catalog:read, orders:read, orders:write, usage:read
    a key must expire later than now
    …/keys/partner-keys.toml: there is no key nobody
    "#);
    for wrong in [
        "key new --partner acme",
        "key new --scope a",
        "key",
        "key revoke",
        "key new --partner acme --scope orders:read --expires soon",
    ] {
        shop.failure(wrong);
    }
    assert_eq!(fs::read_to_string(shop.file()).unwrap(), text);
    assert_eq!(fs::read_dir(shop.file().parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn without_a_file_there_is_nothing_to_change() {
    let mut shop = Shop::new();
    shop.settings.api_keys.file = None;
    let missing = "api_keys.file: missing; set it in the settings file or as BFF__API_KEYS__FILE";
    assert_eq!(shop.failure("key list"), missing);
    shop.settings.api_keys.file = Some("/nowhere/keys.toml".into());
    let no_place = shop.failure("key new --partner acme --scope orders:read");
    assert_eq!(no_place, "cannot write /nowhere/keys.toml: No such file or directory (os error 2)");
}

#[test]
fn help_says_what_there_is() {
    let mut command = key().arguments;
    insta::assert_snapshot!(command.render_long_help(), @r"
    Gives out, shows and revokes API keys

    Usage: key <COMMAND>

    Commands:
      new     Makes a key and prints it, once: only its hash is kept
      list    Shows every key, without its hash
      revoke  Refuses a key from now on
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help
    ");
    let new = command.find_subcommand_mut("new").unwrap();
    let help = new.render_long_help().to_string();
    for part in
        ["--partner <PARTNER>", "--scope <SCOPE>", "catalog:read, orders:read", "--expires <TIME>", "90d"]
    {
        assert!(help.contains(part), "{help}");
    }
}
