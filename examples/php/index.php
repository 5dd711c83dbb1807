<?php
/**
 * A small webmail in one page: log in, folders, messages, a message with its html, attachments. What it keeps of a user is the session
 * token of the broker, in PHP's own session. README.md beside it says how to start it.
 */
declare(strict_types=1);

require __DIR__ . '/../../clients/php/ImapBroker.php';

use ImapBroker\BrokerError;
use ImapBroker\Client;

const PAGE = 25;

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Strict', 'use_strict_mode' => true]);
header("Content-Security-Policy: default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
header('X-Content-Type-Options: nosniff');
header('Referrer-Policy: no-referrer');
header('Cache-Control: no-store');

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) !== '/') {
    http_response_code(404);
    exit('Not found.');
}

$broker = new Client(timeoutMs: 15_000);
try {
    if ($_SERVER['REQUEST_METHOD'] === 'POST') {
        isset($_POST['password']) ? logIn($broker) : logOut($broker);
        redirect('/');
    }
    if (!isset($_SESSION['token'])) {
        page('Log in', loginForm());
    } else {
        show($broker->withSession($_SESSION['token']));
    }
} catch (BrokerError $error) {
    if (headers_sent()) {
        // In the middle of a download: the browser has to do with what it has.
        error_log("$error->kind: {$error->getMessage()}");
    } elseif (in_array($error->kind, ['SESSION_EXPIRED', 'IMAP_AUTH_FAILED'], true)) {
        unset($_SESSION['token']);
        http_response_code(401);
        page('Log in', loginForm($error->kind === 'IMAP_AUTH_FAILED' ? 'User name or password is wrong.' : 'Please log in again.'));
    } else {
        error_log("$error->kind: {$error->getMessage()}");
        // What the address names may be gone, or may never have been: uids change with the UIDVALIDITY of a folder.
        $gone = in_array($error->kind, ['NOT_FOUND', 'STATE_CHANGED', 'INVALID_PARAMS'], true);
        $why = $gone ? 'There is no such folder or message any more.' : 'The mail server cannot be reached. Try again in a moment.';
        http_response_code($gone ? 404 : 502);
        page('Not now', "<main class=\"narrow\"><h1>That did not work</h1><p>$why</p><p><a href=\"/\">To the inbox</a></p></main>");
    }
}

function logIn(Client $broker): void {
    $opened = $broker->call('session.open', [
        'server' => getenv('IMAP_SERVER') ?: 'demo',
        'user' => given($_POST, 'user') ?? '',
        'auth' => ['password' => given($_POST, 'password') ?? ''],
        'clientIp' => $_SERVER['REMOTE_ADDR'],
    ]);
    session_regenerate_id(true);
    $_SESSION = ['token' => $opened['session'], 'user' => $opened['user']];
}

function logOut(Client $broker): void {
    $token = $_SESSION['token'] ?? null;
    session_destroy();
    if ($token !== null) $broker->call('session.close', ['session' => $token]);
}

/** A text that the browser sent; what is no text counts as nothing. */
function given(array $from, string $name): ?string {
    return is_string($from[$name] ?? null) ? $from[$name] : null;
}

/** What the address asks for. */
function show(Client $mail): void {
    $folder = given($_GET, 'folder') ?? 'INBOX';
    [$uid, $validity, $part] = [(int) given($_GET, 'uid'), (int) given($_GET, 'validity'), given($_GET, 'part')];
    if ($part !== null) {
        download($mail, ['mailbox' => $folder, 'uidValidity' => $validity, 'uid' => $uid, 'part' => $part]);
        return;
    }
    $content = $uid > 0 ? message($mail, $folder, $validity, $uid) : index($mail, $folder, given($_GET, 'cursor'));
    // Names and counts may be half a minute old: then they cost the mail server nothing. What was read just now is counted.
    $folders = $mail->call('mailbox.list', ['counts' => true, 'maxAgeMs' => 30_000])['mailboxes'];
    page($folder, '<div class="columns">' . folders($folders, $folder) . "<main>$content</main></div>");
}

function folders(array $folders, string $current): string {
    $items = '';
    foreach ($folders as ['name' => $name, 'leaf' => $leaf, 'delimiter' => $delimiter, 'selectable' => $selectable, 'counts' => $counts]) {
        $depth = $delimiter === null ? 0 : substr_count($name, $delimiter);
        $text = html($name === 'INBOX' ? 'Inbox' : $leaf) . (($counts['unseen'] ?? 0) > 0 ? " <b>$counts[unseen]</b>" : '');
        $here = $name === $current ? ' aria-current="page"' : '';
        $link = $selectable ? '<a href="' . address(['folder' => $name]) . "\"$here>$text</a>" : "<span>$text</span>";
        $items .= "<li style=\"--depth: $depth\">$link</li>";
    }
    return "<nav aria-label=\"Folders\"><ul>$items</ul></nav>";
}

/** A page of a folder, the newest message first. */
function index(Client $mail, string $folder, ?string $cursor): string {
    $fields = ['envelope', 'flags', 'internalDate', 'preview', 'hasAttachment'];
    $page = $mail->call('message.list', ['mailbox' => $folder, 'limit' => PAGE, 'fields' => $fields] + ($cursor === null ? [] : ['cursor' => $cursor]));
    $rows = '';
    foreach ($page['messages'] as $row) {
        $from = $row['envelope']['from'][0] ?? ['name' => '', 'address' => '(no sender)'];
        $classes = in_array('\\Seen', $row['flags'], true) ? 'row' : 'row unseen';
        $marks = (in_array('\\Flagged', $row['flags'], true) ? '<span title="Flagged">★</span> ' : '')
            . ($row['hasAttachment'] ? '<span class="file">file</span> ' : '');
        $rows .= "<li class=\"$classes\"><a href=\"" . address(['folder' => $folder, 'uid' => $row['uid'], 'validity' => $page['uidValidity']]) . '">'
            . '<span class="from">' . html($from['name'] !== '' ? $from['name'] : $from['address']) . '</span>'
            . "<span class=\"date\">$marks" . html(day($row['internalDate'])) . '</span>'
            . '<span class="subject">' . html(subject($row['envelope'])) . '</span>'
            . '<span class="preview">' . html($row['preview'] ?? '') . '</span></a></li>';
    }
    $older = $page['nextCursor'] === null ? '' : '<p><a class="button" href="' . address(['folder' => $folder, 'cursor' => $page['nextCursor']]) . '">Older messages</a></p>';
    return '<h1>' . html($folder === 'INBOX' ? 'Inbox' : $folder) . " <small>$page[total] messages</small></h1>"
        . ($rows === '' ? '<p>Nothing is in this folder.</p>' : "<ol class=\"rows\">$rows</ol>") . $older;
}

/** A message. Its html goes into a frame that runs no script, loads nothing and belongs to no site. */
function message(Client $mail, string $folder, int $validity, int $uid): string {
    $params = ['mailbox' => $folder, 'uidValidity' => $validity, 'uids' => [$uid], 'markSeen' => true];
    $message = $mail->call('message.get', $params)['messages'][0] ?? throw new BrokerError('NOT_FOUND', 'No such message.');
    $bodies = '';
    foreach ($message['htmlBody'] as ['type' => $type, 'content' => $content]) {
        if ($content === null) continue;
        $bodies .= $type === 'text/html' ? $content : '<pre style="white-space: pre-wrap; font: inherit">' . html($content) . '</pre>';
    }
    $document = '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        . 'style-src \'unsafe-inline\'; img-src data:"><base target="_blank"><body style="font: 16px/1.5 system-ui, sans-serif; margin: 1rem">' . $bodies;
    $files = '';
    foreach ($message['attachments'] as $file) {
        $target = address(['folder' => $folder, 'validity' => $validity, 'uid' => $uid, 'part' => $file['part']]);
        // Base64 in lines, as nearly all attachments are, has 78 characters for 57 bytes.
        $size = number_format(($file['decodedSize'] ?? ($file['encodedSize'] ?? 0) * 57 / 78) / 1024) . ' KB';
        $files .= "<li><a href=\"$target\" download>" . html($file['fileName'] ?? "Part $file[part]") . "</a> <small>$size</small></li>";
    }
    $people = fn (array $list): string => html(implode(', ', array_map(fn ($one) => $one['name'] === '' ? $one['address'] : "$one[name] <$one[address]>", $list)));
    return '<p><a href="' . address(['folder' => $folder]) . '">← ' . html($folder === 'INBOX' ? 'Inbox' : $folder) . '</a></p>'
        . '<h1>' . html(subject($message['envelope'])) . '</h1><dl>'
        . '<dt>From</dt><dd>' . $people($message['envelope']['from']) . '</dd><dt>To</dt><dd>' . $people($message['envelope']['to']) . '</dd>'
        . '<dt>Date</dt><dd>' . html((new DateTimeImmutable($message['internalDate']))->format('j M Y, H:i')) . '</dd></dl>'
        . ($files === '' ? '' : "<ul class=\"files\" aria-label=\"Attachments\">$files</ul>")
        . '<iframe title="Text of the message" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="' . html($document) . '"></iframe>';
}

/** Sends an attachment to the browser piece by piece, however large it is. */
function download(Client $mail, array $params): void {
    $part = $mail->call('message.part', $params);
    session_write_close(); // Other pages of the user need not wait for the end of the download.
    header('Content-Type: application/octet-stream');
    header("Content-Disposition: attachment; filename*=UTF-8''" . rawurlencode($part['fileName'] ?? 'attachment'));
    if ($part['decodedSize'] !== null) header("Content-Length: $part[decodedSize]");
    foreach ($part['body'] as $bytes) {
        echo $bytes;
        flush();
    }
}

function html(string $text): string {
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

function address(array $query): string {
    return html('/?' . http_build_query($query));
}

function subject(array $envelope): string {
    return ($envelope['subject'] ?? '') === '' ? '(no subject)' : $envelope['subject'];
}

function day(string $date): string {
    $moment = new DateTimeImmutable($date);
    return $moment->format($moment > new DateTimeImmutable('-20 hours') ? 'H:i' : 'j M Y');
}

function redirect(string $target): never {
    header("Location: $target", true, 303);
    exit;
}

function loginForm(string $complaint = ''): string {
    $said = $complaint === '' ? '' : '<p role="alert">' . html($complaint) . '</p>';
    return '<main class="narrow"><h1>Log in</h1>' . $said . '<form method="post"><label>User name <input name="user" autocomplete="username" '
        . 'required autofocus></label><label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        . '<button class="button">Log in</button></form></main>';
}

function page(string $title, string $content): void {
    $user = $_SESSION['user'] ?? '';
    $out = isset($_SESSION['token']) ? '<form method="post"><span>' . html($user) . '</span> <button>Log out</button></form>' : '';
    echo '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        . '<title>' . html($title) . ' · Webmail</title><style>' . style() . "</style><header><a href=\"/\">Webmail</a>$out</header>$content</html>";
}

function style(): string {
    return <<<'CSS'
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1d2430; background: #f4f6f9 }
a { color: #1456b8 }
header { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .75rem 1.25rem; background: #12305e; color: #fff }
header > a { color: #fff; font-weight: 700; text-decoration: none }
header form { display: flex; align-items: center; gap: .75rem; min-width: 0 }
header span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
button, .button { font: inherit; padding: .45rem .9rem; border: 0; border-radius: .4rem; background: #1456b8; color: #fff; text-decoration: none; white-space: nowrap; cursor: pointer }
header button { background: #2a4f87 }
.columns { display: grid; grid-template-columns: 15rem minmax(0, 1fr) }
nav ul { list-style: none; margin: 0; padding: 1rem .5rem }
nav li { padding-left: calc(var(--depth) * 1rem) }
nav a, nav span { display: flex; justify-content: space-between; padding: .35rem .75rem; border-radius: .4rem; color: inherit; text-decoration: none }
nav span { color: #5a6577 }
nav a:hover { background: #e4eaf3 }
nav a[aria-current] { background: #d5e2f6; font-weight: 600 }
main { padding: 1rem 1.5rem 2rem; background: #fff; min-height: calc(100vh - 3.6rem) }
main.narrow { max-width: min(24rem, calc(100% - 2rem)); margin: 3rem auto; min-height: 0; border-radius: .6rem; box-shadow: 0 1px 4px #0003 }
main.narrow label { display: block; margin-bottom: 1rem }
input { display: block; width: 100%; font: inherit; padding: .5rem; border: 1px solid #8792a5; border-radius: .4rem }
[role=alert] { padding: .5rem .75rem; background: #fdeaea; color: #8f1313; border-radius: .4rem }
h1 { font-size: 1.4rem; margin: 0 0 .75rem; overflow-wrap: anywhere }
small { color: #5a6577; font-weight: 400; font-size: .85rem }
.rows { list-style: none; margin: 0; padding: 0; border-top: 1px solid #dde3ec }
.row a { display: grid; grid-template-columns: 12rem minmax(0, 1fr) auto; gap: 0 1rem; padding: .55rem .5rem; border-bottom: 1px solid #dde3ec; color: inherit; text-decoration: none }
.row a:hover { background: #f1f5fb }
.row span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.date { grid-column: 3; color: #5a6577; font-size: .9rem }
.file { padding: 0 .4rem; border: 1px solid #c5cedc; border-radius: .3rem; font-size: .8rem }
.subject { grid-column: 2; grid-row: 1 }
.preview { grid-column: 2 / 4; color: #5a6577; font-size: .9rem }
.unseen .from, .unseen .subject { font-weight: 700 }
dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .15rem 1rem; margin: 0 0 1rem }
dt { color: #5a6577 } dd { margin: 0; overflow-wrap: anywhere }
.files { list-style: none; margin: 0 0 1rem; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem }
.files li { padding: .35rem .75rem; background: #eef2f8; border-radius: .4rem; overflow-wrap: anywhere }
iframe { width: 100%; height: 60vh; border: 1px solid #dde3ec; border-radius: .4rem; background: #fff }
@media (max-width: 700px) {
  .columns { grid-template-columns: minmax(0, 1fr) }
  nav { overflow-x: auto; border-bottom: 1px solid #dde3ec }
  nav ul { display: flex; padding: .4rem }
  nav li { padding: 0 } nav a, nav span { white-space: nowrap; gap: .4rem }
  main { padding: 1rem }
  .row a { grid-template-columns: minmax(0, 1fr) auto }
  .date { grid-column: 2 } .subject, .preview { grid-column: 1 / 3; grid-row: auto }
}
CSS;
}
