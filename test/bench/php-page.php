<?php
// The page views of the scenario `php`: for each line of JSON it shows the newest 50 messages of an INBOX once, in the way that the line names.
declare(strict_types=1);
error_reporting(E_ALL);
ini_set('display_errors', 'stderr');
require 'clients/php/ImapBroker.php';

const ROWS = 50;

/** Connects over TLS, logs in, selects, fetches and logs out, with as few commands as there can be. */
function overImap(int $port, string $user, string $password, string $caFile): int {
    $context = stream_context_create(['ssl' => ['cafile' => $caFile, 'peer_name' => 'localhost'], 'socket' => ['tcp_nodelay' => true]]);
    $imap = stream_socket_client("ssl://127.0.0.1:$port", $code, $why, 10, STREAM_CLIENT_CONNECT, $context);
    fgets($imap);
    $command = function (string $tag, string $text) use ($imap): array {
        fwrite($imap, "$tag $text\r\n");
        $lines = [];
        while (($line = fgets($imap)) !== false && !str_starts_with($line, "$tag ")) {
            // A literal belongs to the line that announces it.
            while (preg_match('/\{(\d+)\}\r\n$/', $line, $found)) $line .= stream_get_contents($imap, (int) $found[1]) . fgets($imap);
            $lines[] = $line;
        }
        if (!str_starts_with((string) $line, "$tag OK")) throw new RuntimeException("$text: $line");
        return $lines;
    };
    $command('a', "LOGIN $user $password");
    preg_match('/^\* (\d+) EXISTS/m', implode($command('b', 'SELECT INBOX')), $found);
    $first = max(1, (int) $found[1] - ROWS + 1);
    $rows = preg_grep('/^\* \d+ FETCH /', $command('c', "FETCH $first:* (UID ENVELOPE FLAGS RFC822.SIZE INTERNALDATE)"));
    $command('d', 'LOGOUT');
    return count($rows);
}

/** Asks the broker, on a socket for this view alone or on the given one. */
function overBroker(array $view, ?ImapBroker\Client $kept): int {
    $broker = $kept ?? new ImapBroker\Client($view['url'], $view['token']);
    $params = ['session' => $view['session'], 'mailbox' => 'INBOX', 'limit' => ROWS, 'maxAgeMs' => $view['maxAgeMs']];
    $rows = count($broker->call('message.list', $params)['messages']);
    if ($kept === null) $broker->close();
    return $rows;
}

$kept = null;
while (($line = fgets(STDIN)) !== false) {
    $view = json_decode($line, true);
    if ($view['way'] === 'kept') $kept ??= new ImapBroker\Client($view['url'], $view['token']);
    $rows = $view['way'] === 'imap'
        ? overImap($view['port'], $view['user'], $view['password'], $view['caFile'])
        : overBroker($view, $view['way'] === 'kept' ? $kept : null);
    echo $rows, "\n";
}
