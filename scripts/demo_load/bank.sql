-- The load of the demo's second database: a bank that moves money between its accounts.
SET client_min_messages = warning;

CREATE TABLE accounts (id integer PRIMARY KEY, owner text NOT NULL, balance numeric(12, 2) NOT NULL);
INSERT INTO accounts SELECT id, 'owner ' || id, 1000 FROM generate_series(1, 20) AS id;

CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender integer NOT NULL,
    receiver integer NOT NULL,
    amount numeric(12, 2) NOT NULL,
    booked timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE PROCEDURE transfer(sender integer, receiver integer, amount numeric) LANGUAGE sql AS $$
    UPDATE accounts SET balance = balance - amount WHERE id = sender;
    UPDATE accounts SET balance = balance + amount WHERE id = receiver;
    INSERT INTO transfers (sender, receiver, amount) VALUES (sender, receiver, amount);
$$;

-- Every fifth transfer is rolled back; old ones are deleted.
CREATE PROCEDURE trade_for_ever() LANGUAGE plpgsql AS $$
DECLARE
    round integer := 0;
BEGIN
    LOOP
        round := round + 1;
        CALL transfer(1 + round % 20, 1 + (round * 7 + 1) % 20, (random() * 50)::numeric(12, 2));
        IF round % 5 = 0 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
        DELETE FROM transfers WHERE id < round - 30;
        COMMIT;
        PERFORM pg_sleep(0.2);
        COMMIT;
    END LOOP;
END
$$;
