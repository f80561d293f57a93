#!/usr/bin/python3
"""peer.py - the way of an event as it is usually built in Python: what t/bench/events compares with.

usage: peer.py REDIS-SOCKET produce COUNT BATCH RATE
       peer.py REDIS-SOCKET consume COUNT BATCH CONNINFO

The producer makes an event, a dict, and adds it to a stream by redis-py; BATCH of them in a pipeline,
RATE of them a second (0: as many as go).  The consumer reads BATCH entries of its group, and writes them by
psycopg2 in one transaction into the tables of the same schema: the ids it has not seen, events, products
and transactions; then it acknowledges.  It adds nothing up: such systems refresh materialized views,
and that is not counted here.  Prints events/s and, consuming, p50 and p95 of the age at the commit in ms.
"""
import json
import random
import sys
import time
import uuid
from datetime import datetime, timezone

import redis

STREAM, GROUP = 'peer', 'python'
CATEGORIES = ['books', 'games', 'garden', 'music', 'toys', 'shoes', 'kitchen']


def make_event():
    chance, number = random.random(), random.randrange(500)
    kind = ('page_view' if chance < .6 else 'search' if chance < .75 else 'add_to_cart' if chance < .88
            else 'remove_from_cart' if chance < .92 else 'purchase')
    visitor = random.randrange(20000)
    event = {'event_id': str(uuid.uuid4()), 'event_type': kind, 'timestamp': datetime.now(timezone.utc).isoformat(),
             'user_id': f'user-{visitor}', 'session_id': f's-{visitor}-{random.randrange(2)}'}
    if kind == 'search':
        event['query'] = 'red shoes'
        return event
    price = number % 90 + 9.99
    event['product'] = {'id': f'p-{number:04}', 'name': f'Product number {number}',
                        'category': CATEGORIES[number % 7], 'price': price}
    if kind == 'purchase':
        event.update(quantity=2, total_amount=round(2 * price, 2), payment_method='pix')
    return event


def produce(server, count, batch, rate):
    began = time.time()
    for sent in range(0, count, batch):
        if rate:
            time.sleep(max(0, began + sent / rate - time.time()))
        pipeline = server.pipeline(transaction=False)
        for _ in range(batch):
            pipeline.xadd(STREAM, {'m': json.dumps(make_event())})
        pipeline.execute()
    print(f'{count / (time.time() - began):.0f}')


def check(event):
    """What a consumer of this kind looks at before it writes."""
    if event['event_type'] not in ('page_view', 'search', 'add_to_cart', 'remove_from_cart', 'purchase'):
        raise ValueError('event_type')
    return uuid.UUID(event['event_id']), datetime.fromisoformat(event['timestamp'])


def apply(cursor, batch):
    from psycopg2.extras import execute_values
    events = {}
    for entry, event in batch:
        check(event)
        events.setdefault(event['event_id'], (entry, event))
    new = execute_values(cursor, 'INSERT INTO event_seen VALUES %s ON CONFLICT DO NOTHING RETURNING event_id::text',
                         sorted((key, event['timestamp']) for key, (_, event) in events.items()),
                         page_size=len(events), fetch=True)
    rows, products, sold = [], {}, []
    for (key,) in new:
        entry, e = events[key]
        p = e.get('product') or {}
        rows.append((key, e['event_type'], e['timestamp'], datetime.fromtimestamp(int(entry.split(b'-')[0]) / 1000, timezone.utc),
                     e['user_id'], e['session_id'], p.get('id'), p.get('category'), p.get('price'), e.get('quantity'),
                     e.get('total_amount'), e.get('payment_method'), e.get('query')))
        if p:
            products[p['id']] = (p['id'], p['name'], p['category'], p['price'], e['timestamp'])
        if e['event_type'] == 'purchase':
            sold.append((key, key, p['id'], e['user_id'], e['quantity'], e['total_amount'], e['payment_method'], e['timestamp']))
    if rows:
        execute_values(cursor, 'INSERT INTO events VALUES %s', rows, page_size=len(rows))
    if products:
        execute_values(cursor, 'INSERT INTO products VALUES %s ON CONFLICT (product_id) DO UPDATE SET product_name = excluded.product_name,'
                       ' category = excluded.category, price = excluded.price, seen_at = excluded.seen_at',
                       [products[key] for key in sorted(products)], page_size=len(products))
    if sold:
        execute_values(cursor, 'INSERT INTO transactions VALUES %s', sold, page_size=len(sold))


def consume(server, count, batch, conninfo):
    import psycopg2
    database = psycopg2.connect(conninfo)
    ages, done, began = [], 0, None
    try:
        server.xgroup_create(STREAM, GROUP, id='0', mkstream=True)
    except redis.ResponseError:
        pass
    while done < count:
        reply = server.xreadgroup(GROUP, 'one', {STREAM: '>'}, count=batch, block=1000)
        if not reply:
            continue
        began = began or time.time()
        entries = [(entry, json.loads(fields[b'm'])) for entry, fields in reply[0][1]]
        with database, database.cursor() as cursor:
            apply(cursor, entries)
        now = time.time() * 1000
        ages += [now - int(entry.split(b'-')[0]) for entry, _ in entries]
        server.xack(STREAM, GROUP, *[entry for entry, _ in entries])
        done += len(entries)
    ages.sort()
    print(f'{done / (time.time() - began):.0f} {ages[done // 2]:.0f} {ages[done * 95 // 100]:.0f}')


if __name__ == '__main__':
    redis_server = redis.Redis(unix_socket_path=sys.argv[1])
    if sys.argv[2] == 'produce':
        produce(redis_server, int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    else:
        consume(redis_server, int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
