<?php
// Does what a test asks for, a line of JSON for each request and each answer, with the client for PHP.
declare(strict_types=1);
error_reporting(E_ALL);
ini_set('display_errors', 'stderr');
require __DIR__ . '/../../clients/php/ImapBroker.php';

use ImapBroker\BrokerError;
use ImapBroker\Client;

/** What came of a call: the bytes of a body as their number and hash. */
function told(array $result, bool $hold, bool $leave): array
{
    global $held;
    if (!isset($result['body'])) return $result;
    [$body, $hash, $bytes, $result['body']] = [$result['body'], hash_init('sha256'), 0, null];
    if ($hold) $held = $body;
    if ($hold) return $result;
    foreach ($body as $piece) {
        $bytes += strlen($piece);
        hash_update($hash, $piece);
        if ($leave && $bytes > 0) break;
    }
    return ['body' => ['bytes' => $bytes, 'sha256' => hash_final($hash)]] + $result;
}

function done(array $ask): mixed
{
    global $client, $events, $held;
    switch ($ask['op']) {
        case 'open':
            $client = new Client(...$ask['options']);
            return null;
        case 'session':
            $client = $client->withSession($ask['session']);
            return null;
        case 'call':
            $params = $ask['params'];
            if (isset($ask['file'])) $params['content'] = ($ask['whole'] ?? false) ? file_get_contents($ask['file']) : fopen($ask['file'], 'r');
            return told($client->call($ask['method'], $params), $ask['hold'] ?? false, $ask['leave'] ?? false);
        case 'interrupted':
            pcntl_async_signals(true);
            pcntl_signal(SIGALRM, fn () => throw new RuntimeException('interrupted'), false);
            pcntl_alarm(1);
            try {
                return $client->call($ask['method'], $ask['params']);
            } catch (RuntimeException $interrupt) {
                return $interrupt->getMessage();
            }
        case 'held':
            return told(['body' => $held], false, $ask['leave'] ?? false);
        case 'watch':
            $events = $client->watch($ask['params'], $ask['idleMs'] ?? null);
            return $events->current();
        case 'event':
            $events->next();
            return $events->current();
        case 'unwatch':
            $events = null;
            return null;
        case 'fork':
            $pipes = [];
            for ($n = 0; $n < $ask['children']; ++$n) {
                $pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
                if (pcntl_fork() === 0) {
                    fwrite($pair[1], json_encode($client->call($ask['method'], $ask['params'])));
                    exit(0);
                }
                fclose($pair[1]);
                $pipes[] = $pair[0];
            }
            $answers = array_map(fn ($pipe) => json_decode(stream_get_contents($pipe), true), $pipes);
            while (pcntl_wait($status) > 0);
            return $answers;
        case 'close':
            $client->close();
            return null;
    }
}

while (($line = fgets(STDIN)) !== false) {
    try {
        $answer = ['result' => done(json_decode($line, true))];
    } catch (BrokerError $error) {
        $answer = ['error' => ['message' => $error->getMessage(), 'code' => $error->getCode()] + get_object_vars($error)];
    }
    echo json_encode($answer), "\n";
}
