-- The load of the demo's first database: a shop whose customers order, change their minds and leave.
SET client_min_messages = warning;

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text,
    vip boolean NOT NULL DEFAULT false,
    joined timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL,
    total numeric(10, 2) NOT NULL,
    status text NOT NULL DEFAULT 'new',
    detail jsonb
);
ALTER TABLE orders REPLICA IDENTITY FULL;

CREATE TABLE carts (session uuid PRIMARY KEY DEFAULT gen_random_uuid(), articles text[]);

-- One round, in several transactions; the one with the big order is rolled back and must never be printed.
CREATE PROCEDURE trade(round integer) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers (name, email) VALUES (format('Customer "%s"', round), format('c%s@example.org', round));
    INSERT INTO orders (customer, total, detail)
        SELECT round, (random() * 100)::numeric(10, 2), jsonb_build_object('line', line, 'note', E'first\nsecond')
        FROM generate_series(1, 3) AS line;
    INSERT INTO carts (articles) VALUES (ARRAY['tea', 'milk']);
    COMMIT;
    UPDATE orders SET status = 'paid' WHERE status = 'new' AND random() < 0.7;
    UPDATE customers SET vip = NOT vip, email = NULL WHERE id = round - 2;
    COMMIT;
    DELETE FROM orders WHERE status = 'paid' AND random() < 0.3;
    COMMIT;
    INSERT INTO orders (customer, total, status) VALUES (round, 99999999.99, 'a mistake');
    ROLLBACK;
END
$$;

CREATE PROCEDURE trade_for_ever() LANGUAGE plpgsql AS $$
DECLARE
    round integer := 0;
BEGIN
    LOOP
        round := round + 1;
        CALL trade(round);
        IF round % 20 = 8 THEN
            TRUNCATE carts;
        ELSIF round = 12 THEN
            ALTER TABLE customers ADD COLUMN points integer DEFAULT 10;
        END IF;
        COMMIT;
        PERFORM pg_sleep(0.25);
        COMMIT;
    END LOOP;
END
$$;
