"""Passwords in configurations of common products are found, and what merely speaks of passwords is not."""

import pytest

from seawall.images.collect.prefilter import PACKED, Keywords
from seawall.images.detect.secrets.scan import Judge, Where
from seawall.images.load import secrets

RULES = secrets.rules()
FIND, JUDGE = Keywords(RULES, []), Judge(RULES, b"k")
USED = (
    ("app/.env", "DB_PASSWORD=Summer2024!"),
    ("app/.env", "MYSQL_ROOT_PASSWORD=rootroot9"),
    ("app/.env", "POSTGRES_PASSWORD=postgres"),
    ("app/.env", "SECRET_KEY=ak38fjQ92ks"),
    ("app/config.yaml", "database:\n  password: s3cr3t-Pa55"),
    ("app/config.yaml", "jwtSecret: 7f9a8b6c5d4e3f2a1b0c"),
    ("app/config.yaml", 'redis: {host: a, password: "xK9!mmqz"}'),
    ("app/application.properties", "spring.datasource.password=Zx81!prod"),
    ("app/application.properties", "spring.mail.password = mailPa55w0rd"),
    ("app/application.yml", "  datasource:\n    username: shop\n    password: Kd72hs8a"),
    ("app/config.json", '{"user":"a","password":"hunter2!x"}'),
    ("app/config.json", '{"apiKey": "c0ffee12babe34dead56"}'),
    ("etc/app.ini", "[db]\nuser=a\npasswd = T1ger!cat"),
    ("app/settings.py", "DATABASES = {'default': {'PASSWORD': 'pg_Pa55_w0rd'}}"),
    ("app/main.py", "password = 'Qwerty!2345'"),
    ("app/main.go", 'const dbPassword = "Go1ang$ecret"'),
    ("app/Db.java", 'String password = "J4va!Rocks9";'),
    ("app/index.js", "const conn = { user: 'root', password: 'n0deJS!pw' }"),
    ("app/config.php", "$db_password = 'Php7!passw';"),
    ("app/run.sh", "export DB_PASS=kj4h5kjh"),
    ("app/run.sh", 'PASSWORD="tr0ub4dor&3"'),
    (
        "app/docker-compose.yml",
        "    environment:\n      - MYSQL_PASSWORD=shopPW2020\n      POSTGRES_PASSWORD: verySecret1",
    ),
    ("app/context.xml", '<Resource name="jdbc/db" username="u" password="Tomc4t!x" />'),
    ("app/web.xml", "<param-name>x</param-name><dbPassword>W3bXml!9</dbPassword>"),
    ("app/terraform.tfvars", 'db_password = "Terra4orm!"'),
    ("app/values.yaml", "adminPassword: Helm3chart"),
    ("etc/my.cnf", "[client]\npassword=MyCnf#55"),
    ("app/hibernate.cfg.xml", '<property name="hibernate.connection.password">h1bern8te</property>'),
    ("app/odoo.conf", "admin_passwd = 0d00admin"),
    ("app/x.toml", 'token = "abcd1234efgh5678"'),
    ("etc/grafana/grafana.ini", "admin_password = gr4fanaAdm"),
    ("app/config.rb", "password: 'Rub1on!rails'"),
    ("app/appsettings.json", '"ClientSecret": "f8h3k2l9s0d7"'),
    ("app/nested.yaml", "password: correcthorsebattery"),
    ("app/.env", "PASSWORD=letmein"),
    ("app/Dockerfile", "ENV ADMIN_PASSWORD=dockerPw1"),
    ("app/config.yaml", "smtp_pass: mG4kd8s2"),
    ("app/a.conf", 'bind_password: "L1d4p!bind"'),
    ("app/logback.xml", 'password="x9K2mq"'),
)
NONE = (
    ("app/main.py", "password = request.form['password']"),
    ("app/main.py", "password = os.environ.get('PASSWORD')"),
    ("app/main.js", "password: req.body.password,"),
    ("app/a.yaml", "password: ${PW}"),
    ("app/a.yaml", "passwordSecretRef: db"),
    ("app/api.yaml", "password:\n  type: string"),
    ("app/form.html", "<input type=password name=password placeholder='Password'>"),
    ("app/i18n.json", '"password": "Password"'),
    ("app/i18n.json", '"password_placeholder": "Enter your password"'),
    ("app/de.json", '"password": "Passwort"'),
    ("app/main.go", 'password := flag.String("password", "", "the password")'),
    ("app/x.java", "private String password;"),
    ("app/x.java", "setPassword(password);"),
    ("app/x.py", "token = tokenizer.next()"),
    ("app/x.c", "char *password = NULL;"),
    ("app/x.py", "def login(password=None):"),
    ("app/x.ts", "password: string;"),
    ("app/x.ts", "interface A { token: string }"),
    ("etc/pam.d/common-password", "password [success=1 default=ignore] pam_unix.so obscure yescrypt"),
    ("etc/login.defs", "PASS_MAX_DAYS=99999"),
    ("etc/nsswitch.conf", "passwd: files systemd"),
    ("etc/ssh/sshd_config", "PasswordAuthentication: yes"),
    ("app/a.yaml", "tokenUrl: https://x.test/oauth/token"),
    ("app/a.yaml", "secretName: my-tls-secret"),
    ("app/a.properties", "password.encoder=bcrypt"),
    ("app/a.properties", "ssl.keystore.password=@env.PASS@"),
    ("app/a.yml", "password: !vault |"),
    ("app/a.yml", 'password: "{{ vault_db_password }}"'),
    ("app/a.tf", "password = var.db_password"),
    ("app/a.tf", "token = data.x.y.token"),
    ("app/a.sh", "PASSWORD=$(cat /run/secret)"),
    ("app/a.sh", 'read -s -p "Password: " PASSWORD'),
    ("app/a.env", "PASSWORD="),
    ("app/a.env", "DB_PASSWORD=<your password>"),
    ("app/a.env", "DB_PASSWORD=changeme"),
    ("app/a.env", "TOKEN_EXPIRY=3600"),
    ("app/a.json", '"token_type": "bearer"'),
    ("app/a.json", '"secret": true'),
    ("app/a.py", "PASSWORD_HASHERS = ['django.contrib.auth.hashers.PBKDF2PasswordHasher']"),
    ("app/a.py", "raise ValueError('password: too short')"),
    ("app/lock.json", '"integrity": "sha512-abc"'),
    ("app/a.css", ".password{color:red}"),
    ("app/x.rb", "has_secure_password validations: false"),
    ("app/x.py", "csrf_token = get_token(request)"),
    ("app/a.js", "token: this.token || localStorage.token"),
    ("app/x.js", "const TOKEN_KEY = 'auth_token'"),
    ("app/x.js", "secret: process.env.SECRET"),
    ("app/x.php", "$password = $_POST['password'];"),
    ("app/x.yaml", "password: password"),
    ("usr/share/x/config.yaml", "password: secret"),
)


def found(path: str, text: str) -> list[str]:
    hits = FIND.hits(text.encode(), True)
    hits.pop(PACKED, None)
    return [one.rule for one in JUDGE.findings(text.encode(), hits, Where(path))]


@pytest.mark.parametrize(("path", "text"), USED)
def test_a_password_is_found(path: str, text: str) -> None:
    assert found(path, text)


@pytest.mark.parametrize(("path", "text"), NONE)
def test_what_is_none_is_not(path: str, text: str) -> None:
    assert found(path, text) == []


def test_the_same_line_counts_less_where_examples_are() -> None:
    line = "db_password = 'Zx81!prod'"
    assert found("app/config.py", line)
    assert not found("usr/share/doc/app/config.py", line)
    assert not found("app/docs/examples/config.md", line)
