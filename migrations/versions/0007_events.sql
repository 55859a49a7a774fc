-- UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance.
create function event_id(at timestamptz) returns uuid language sql volatile as $$
    select encode(set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                placing substring(int8send((extract(epoch from at) * 1000)::bigint) from 3)
                from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- The application's present: the machine's, moved in development.
create function event_moment() returns timestamptz language sql volatile as $$
    select clock_timestamp() + coalesce((select c."offset" from clock c), interval '0')
$$;

-- In plpgsql, whose plans are kept: planned anew at each call it would cost eight times as much.
create function is_told(org uuid, event_kind text) returns boolean language plpgsql stable as $$
begin
    return exists (select 1 from webhook_endpoints e
                    where e.organisation_id = org and e.status = 'active'
                      and event_kind = any (e.events));
end $$;

-- One row for every endpoint that wants to know: ids only.
create function tell(org uuid, event_kind text, subject jsonb, contact uuid, at timestamptz)
returns void language plpgsql as $$
declare
    told jsonb := jsonb_build_object('type', event_kind, 'timestamp',
        to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'data', subject);
    happened uuid := event_id(at);
begin
    insert into webhook_deliveries (organisation_id, id, endpoint_id, contact_id, event, kind,
           payload, status, next_try_at, created_at, expires_at)
    select org, event_id(at), e.id, contact, happened, event_kind, told, 'waiting', at, at,
           at + interval '30 days'
      from webhook_endpoints e
     where e.organisation_id = org and e.status = 'active' and event_kind = any (e.events);
end $$;

create function tell_completed() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'registration.completed')
       and (tg_op = 'INSERT' or old.completed_at is null) then
        perform tell(new.organisation_id, 'registration.completed',
            jsonb_build_object('registration_id', new.id, 'contact_id', new.contact_id),
            new.contact_id, coalesce(new.completed_at, new.updated_at));
    end if;
    return null;
end $$;

create function tell_stopped() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'contact.stopped') then
        perform tell(new.organisation_id, 'contact.stopped',
            jsonb_build_object('contact_id', new.id), new.id,
            coalesce(new.stopped_at, event_moment()));
    end if;
    return null;
end $$;

-- The contact is gone, so its id stands in the payload only.
create function tell_erased() returns trigger language plpgsql as $$
begin
    if is_told(old.organisation_id, 'contact.erased') then
        perform tell(old.organisation_id, 'contact.erased',
            jsonb_build_object('contact_id', old.id), null, event_moment());
    end if;
    return null;
end $$;

create function tell_consents() returns trigger language plpgsql as $$
begin
    perform tell(f.organisation_id, 'consent.changed',
        jsonb_build_object('consent_id', f.id, 'contact_id', f.contact_id), f.contact_id, f.at)
       from fresh f
      where is_told(f.organisation_id, 'consent.changed');
    return null;
end $$;

create function tell_case() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'case.opened') then
        perform tell(new.organisation_id, 'case.opened',
            jsonb_build_object('case_id', new.id, 'contact_id', new.contact_id),
            new.contact_id, new.opened_at);
    end if;
    return null;
end $$;

create function tell_failed() returns trigger language plpgsql as $$
begin
    if is_told(new.organisation_id, 'message.failed') then
        perform tell(new.organisation_id, 'message.failed',
            jsonb_build_object('message_id', new.id, 'contact_id', new.contact_id),
            new.contact_id, event_moment());
    end if;
    return null;
end $$;

create trigger tell_completed after insert or update of status on flow_sessions for each row
    when (new.status = 'complete' and new.kind = 'registration')
    execute function tell_completed();
create trigger tell_stopped after update of status on contacts for each row
    when (new.status = 'stopped' and old.status = 'active')
    execute function tell_stopped();
create trigger tell_erased after delete on contacts for each row
    execute function tell_erased();
create trigger tell_consents after insert on consent_events
    referencing new table as fresh for each statement
    execute function tell_consents();
create trigger tell_case after insert on cases for each row
    execute function tell_case();
-- 63016: WhatsApp's window was over. A second message says it another way; only that one can fail.
create trigger tell_failed after update of status on messages for each row
    when (new.status = 'failed' and old.status <> 'failed' and new.direction = 'out'
          and (new.error_code is distinct from '63016' or new.content ? 'again'))
    execute function tell_failed();
