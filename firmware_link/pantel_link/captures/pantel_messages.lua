-- Names every field of the payloads of Pantel's packets; pantel.lua loads it, from the folder in which both lie.
--
-- It only returns a function that makes the fields. Wireshark, which runs every script in its folder of plugins by
-- itself, does not call that, so nothing is registered twice. docs/protocol.md is the format's definition.

local CALLSIGN_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-/."
local SECURITY = { [0] = "checked", [1] = "authenticated", [2] = "encrypted" }
local DESCRIPTION = { -- by version, widths in bits
    [1] = { epoch = 32, model_hash = 32, security = 0, reserved = 4, rollover = 0 },
    [2] = { epoch = 24, model_hash = 24, security = 2, reserved = 2, rollover = 16 },
}
local PRESETS = { [0] = "light", [1] = "standard", [2] = "heavy" }
local PRESETS_TO_SET = { [0] = "light", [1] = "standard", [2] = "heavy", [3] = "as it is" }
local STILL, LINE, CONFIRM, WATCH = 1, 2, 3, 4
local COMMANDS = { [STILL] = "still", [LINE] = "line", [CONFIRM] = "confirm", [WATCH] = "watch" }
local OUTCOMES = { [0] = "done", [1] = "refused", [2] = "on trial", [3] = "rolled back" }
local ALARM_PHASES = { [0] = "ended", [1] = "began" }
local SEQUENCES = 1024
local REGION_STEPS = 255
local AGES_PER_S = 10

-- Numbers of up to 53 bits that begin at any bit
local function bits_of(range, first, count)
    local value = 0
    for octet = math.floor(first / 8), math.floor((first + count - 1) / 8) do
        local high = math.max(first - 8 * octet, 0)
        local low = math.max(8 * octet + 8 - first - count, 0)
        local part = math.floor(range(octet, 1):uint() / 2 ^ low) % 2 ^ (8 - high - low)
        value = value * 2 ^ (8 - high - low) + part
    end
    return math.floor(value)
end

-- Adds a number that begins at any bit, and shows in which octets it stands.
local function add_bits(tree, field, range, first, count, value)
    local from, to = math.floor(first / 8), math.floor((first + count - 1) / 8)
    return tree:add(field, range(from, to - from + 1), value or bits_of(range, first, count))
end

local function callsign_of(number)
    local text, rest, possible = "", number, number > 0
    while rest > 0 do
        local digit = rest % 40
        possible = possible and digit > 0
        text = text .. (digit > 0 and CALLSIGN_DIGITS:sub(digit, digit) or "?")
        rest = math.floor(rest / 40)
    end
    return text, possible and #text <= 9
end

-- Makes the fields and returns what dissects with them; `short` is the expert information for what is cut off.
local function make(short)
    local f = {
        epoch = ProtoField.uint32("pantel.ident.epoch", "Epoch"),
        model_hash = ProtoField.bytes("pantel.ident.model_hash", "Model hash"),
        width = ProtoField.uint16("pantel.ident.width", "Width [px]"),
        height = ProtoField.uint16("pantel.ident.height", "Height [px]"),
        security = ProtoField.uint8("pantel.ident.security", "Security", base.DEC, SECURITY),
        reserved = ProtoField.uint8("pantel.ident.reserved", "Reserved"),
        callsign = ProtoField.string("pantel.ident.callsign", "Callsign"),
        ident_rollover = ProtoField.uint16("pantel.ident.rollover", "Rollover"),
        counter = ProtoField.uint32("pantel.ident.counter", "Counter"),
        utc = ProtoField.absolute_time("pantel.ident.utc", "UTC", base.UTC),
        scene = ProtoField.bytes("pantel.scene", "Scene"),
        block = ProtoField.uint16("pantel.still.block", "Block"),
        symbols = ProtoField.uint8("pantel.still.symbols", "Symbols of the content"),
        index = ProtoField.uint8("pantel.still.index", "Number of the symbol"),
        repair = ProtoField.bool("pantel.still.repair", "Repairs"),
        symbol = ProtoField.bytes("pantel.still.symbol", "Symbol"),
        telemetry = ProtoField.bytes("pantel.telemetry", "Telemetry"),
        battery = ProtoField.double("pantel.telemetry.battery_v", "Battery [V]"),
        temperature = ProtoField.double("pantel.telemetry.temperature_c", "Air [deg C]"),
        latitude = ProtoField.double("pantel.telemetry.latitude_deg", "Latitude [deg]"),
        longitude = ProtoField.double("pantel.telemetry.longitude_deg", "Longitude [deg]"),
        altitude = ProtoField.int16("pantel.telemetry.altitude_m", "Altitude [m]"),
        uptime = ProtoField.uint32("pantel.telemetry.uptime_s", "Since the machine started [s]"),
        disk_free = ProtoField.uint32("pantel.telemetry.disk_free_mib", "Room on the disk [MiB]"),
        cpu_temperature = ProtoField.double("pantel.telemetry.cpu_temperature_c", "Processor [deg C]"),
        unknown = ProtoField.bytes("pantel.telemetry.unknown", "Of an unknown tag"),
        text = ProtoField.bytes("pantel.text", "Text"),
        message = ProtoField.uint8("pantel.text.message", "Message"),
        parts = ProtoField.uint8("pantel.text.parts", "Parts"),
        part = ProtoField.uint8("pantel.text.part", "Part"),
        line = ProtoField.string("pantel.text.text", "Text of the part"),
        command = ProtoField.bytes("pantel.command", "Command"),
        rollover = ProtoField.uint16("pantel.command.rollover", "Rollover"),
        number = ProtoField.uint32("pantel.command.number", "Number"),
        what = ProtoField.uint8("pantel.command.what", "What", base.DEC, COMMANDS),
        still_bytes = ProtoField.uint16("pantel.command.still_bytes", "Size of the still [bytes]"),
        region = ProtoField.bytes("pantel.command.region", "Region"),
        left = ProtoField.double("pantel.command.left", "Left [share of the width]"),
        top = ProtoField.double("pantel.command.top", "Top [share of the height]"),
        right = ProtoField.double("pantel.command.right", "Right [share of the width]"),
        bottom = ProtoField.double("pantel.command.bottom", "Bottom [share of the height]"),
        set_bitrate = ProtoField.uint16("pantel.command.bitrate_bps", "Bit rate [bit/s]"),
        set_preset = ProtoField.uint8("pantel.command.preset", "Preset", base.DEC, PRESETS_TO_SET),
        confirms = ProtoField.uint16("pantel.command.confirms", "Confirms the command (lower 16 bits)"),
        seconds = ProtoField.uint16("pantel.command.seconds", "For how long [s]"),
        acknowledge = ProtoField.bytes("pantel.acknowledge", "Acknowledgement"),
        newest_rollover = ProtoField.uint16("pantel.acknowledge.rollover", "Rollover"),
        newest = ProtoField.uint32("pantel.acknowledge.newest", "Newest packet heard"),
        heard_from = ProtoField.uint16("pantel.acknowledge.began", "First packet heard (lower 16 bits)"),
        heard = ProtoField.uint32("pantel.acknowledge.heard", "Of the 32 packets before", base.HEX),
        reply = ProtoField.bytes("pantel.reply", "Reply"),
        reply_number = ProtoField.uint16("pantel.reply.number", "Number of the command (lower 16 bits)"),
        outcome = ProtoField.uint8("pantel.reply.outcome", "Outcome", base.DEC, OUTCOMES),
        bitrate = ProtoField.uint16("pantel.reply.bitrate_bps", "Bit rate [bit/s]"),
        preset = ProtoField.uint8("pantel.reply.preset", "Preset", base.DEC, PRESETS),
        alarm = ProtoField.bytes("pantel.alarm", "Alarm"),
        alarm_number = ProtoField.uint8("pantel.alarm.number", "Number"),
        began = ProtoField.uint8("pantel.alarm.began", "Phase", base.DEC, ALARM_PHASES),
        class = ProtoField.uint8("pantel.alarm.class_id", "Class (0 unknown, 1 to 80 those of COCO)"),
        age = ProtoField.double("pantel.alarm.age_s", "Before the time stamp [s]"),
        alarm_reserved = ProtoField.uint8("pantel.alarm.reserved", "Reserved"),
        alarm_region = ProtoField.bytes("pantel.alarm.region", "Box"),
        alarm_left = ProtoField.double("pantel.alarm.left", "Left [share of the width]"),
        alarm_top = ProtoField.double("pantel.alarm.top", "Top [share of the height]"),
        alarm_right = ProtoField.double("pantel.alarm.right", "Right [share of the width]"),
        alarm_bottom = ProtoField.double("pantel.alarm.bottom", "Bottom [share of the height]"),
        zone = ProtoField.string("pantel.alarm.zone", "Zone"),
        padding = ProtoField.bytes("pantel.padding", "Padding"),
    }
    local group, severity = expert.group.PROTOCOL, expert.severity
    local e = {
        ident = ProtoExpert.new("pantel.expert.ident", "No possible stream", group, severity.WARN),
        padding = ProtoExpert.new("pantel.expert.padding", "Padding is not zero", group, severity.NOTE),
        tag = ProtoExpert.new("pantel.expert.tag", "Unknown tag: what follows is not read", group, severity.NOTE),
        nonsense = ProtoExpert.new("pantel.expert.nonsense", "Makes no sense", group, severity.WARN),
    }
    local QUANTITIES = { -- by tag
        { field = f.battery, octets = 2, per_unit = 1000 },
        { field = f.temperature, octets = 2, signed = true, per_unit = 10 },
        { field = f.latitude, octets = 4, signed = true, per_unit = 1e7 },
        { field = f.longitude, octets = 4, signed = true, per_unit = 1e7 },
        { field = f.altitude, octets = 2, signed = true },
        { field = f.uptime, octets = 4 },
        { field = f.disk_free, octets = 4 },
        { field = f.cpu_temperature, octets = 2, signed = true, per_unit = 10 },
    }

    -- Adds what lies behind the last field, if anything.
    local function add_padding(tree, payload, at)
        if at >= payload:len() then
            return
        end
        local item = tree:add(f.padding, payload(at))
        if payload(at):bytes():tohex():find("[^0]") then
            item:add_proto_expert_info(e.padding)
        end
    end

    -- Adds text, with the zeros behind it that are padding; returns the text.
    local function add_words(tree, field, payload, at)
        local finish, words = payload:len(), ""
        while finish > at and payload(finish - 1, 1):uint() == 0 do
            finish = finish - 1
        end
        if finish > at then
            words = payload(at, finish - at):string(ENC_UTF_8)
            tree:add_packet_field(field, payload(at, finish - at), ENC_UTF_8)
        end
        add_padding(tree, payload, finish)
        return words
    end

    local function is_short(tree, payload, octets, what)
        if payload:len() >= octets then
            return false
        end
        tree:add_proto_expert_info(short, string.format("%s needs %d octets", what, octets))
        return true
    end

    -- Adds a number of whole octets that must be one of `names`; returns its name.
    local function add_named(tree, field, range, names)
        local item, name = tree:add(field, range), names[range:uint()]
        if not name then
            item:add_proto_expert_info(e.nonsense, "Unknown value")
        end
        return name or "unknown"
    end

    local function add_identity(tree, payload, packet)
        local widths, at = DESCRIPTION[packet.version], 0
        local function take(field, count, shift)
            if count == 0 then
                return nil
            end
            local value = bits_of(payload, at, count) + (shift or 0)
            local item = add_bits(tree, field, payload, at, count, value)
            at = at + count
            return value, item
        end
        if is_short(tree, payload, 21, "IDENT") then
            return ""
        end
        take(f.epoch, widths.epoch)
        tree:add(f.model_hash, payload(at / 8, widths.model_hash / 8))
        at = at + widths.model_hash
        take(f.width, 10, 1)
        take(f.height, 10, 1)
        local security = take(f.security, widths.security) or 0
        local reserved, reserved_item = take(f.reserved, widths.reserved)
        if reserved ~= 0 then
            reserved_item:add_proto_expert_info(e.ident, "Reserved bits are set")
        end
        if not SECURITY[security] then
            tree:add_proto_expert_info(e.ident, "Unknown security")
        end
        local callsign, possible = callsign_of(bits_of(payload, at, 48))
        local item = tree:add(f.callsign, payload(at / 8, 6), callsign)
        if not possible then
            item:add_proto_expert_info(e.ident, "No callsign")
        end
        at = at + 48
        local rollover = take(f.ident_rollover, widths.rollover)
        if rollover then
            tree:add(f.counter, payload(at / 8 - 2, 2), rollover * SEQUENCES + packet.sequence):set_generated()
        end
        tree:add(f.utc, payload(at / 8, 4)):append_text(payload(at / 8, 4):uint() == 0 and " (unknown)" or "")
        add_padding(tree, payload, at / 8 + 4)
        return " " .. callsign, security
    end

    local function add_scene(tree, payload)
        tree:add(f.scene, payload)
        return ""
    end

    local function add_fragment(tree, payload)
        if is_short(tree, payload, 4, "A still packet") then
            return ""
        end
        local block, symbols, index = bits_of(payload, 0, 9), bits_of(payload, 9, 7) + 1, bits_of(payload, 16, 8)
        add_bits(tree, f.block, payload, 0, 9, block)
        add_bits(tree, f.symbols, payload, 9, 7, symbols)
        add_bits(tree, f.index, payload, 16, 8, index)
        tree:add(f.repair, payload(2, 1), index >= symbols):set_generated()
        tree:add(f.symbol, payload(3))
        return string.format(" block %d symbol %d of %d", block, index, symbols)
    end

    local function add_telemetry(parent, payload)
        local tree, at = parent:add(f.telemetry, payload), 0
        while at < payload:len() do
            local tag = payload(at, 1):uint()
            local quantity = QUANTITIES[tag]
            if tag == 0 then
                add_padding(tree, payload, at)
                return ""
            elseif not quantity then
                tree:add(f.unknown, payload(at)):add_proto_expert_info(e.tag)
                return ""
            elseif is_short(tree, payload, at + 1 + quantity.octets, string.format("The value of tag %d", tag)) then
                return ""
            end
            local range = payload(at + 1, quantity.octets)
            local value = quantity.signed and range:int() or range:uint()
            if quantity.per_unit then
                value = value / quantity.per_unit
            end
            tree:add(quantity.field, payload(at, 1 + quantity.octets), value)
            at = at + 1 + quantity.octets
        end
        return ""
    end

    local function add_text(parent, payload)
        local tree = parent:add(f.text, payload)
        if is_short(tree, payload, 2, "Text") then
            return ""
        end
        local parts, part = bits_of(payload, 8, 4) + 1, bits_of(payload, 12, 4)
        tree:add(f.message, payload(0, 1))
        add_bits(tree, f.parts, payload, 8, 4, parts)
        local item = add_bits(tree, f.part, payload, 12, 4, part)
        if part >= parts then
            item:add_proto_expert_info(e.nonsense, "A part beyond the last")
        end
        local line = add_words(tree, f.line, payload, 2)
        return string.format(" %d part %d of %d: %s", payload(0, 1):uint(), part, parts, line)
    end

    local function add_sides(tree, range, fields)
        for i, field in ipairs(fields) do
            tree:add(field, range(i - 1, 1), range(i - 1, 1):uint() / REGION_STEPS)
        end
        local octets = range:bytes()
        if octets:get_index(0) >= octets:get_index(2) or octets:get_index(1) >= octets:get_index(3) then
            tree:add_proto_expert_info(e.nonsense, "Nothing lies within this region")
        end
    end

    local function add_region(parent, range)
        local tree = parent:add(f.region, range)
        if range:uint() == 0 then
            tree:append_text(" (all of it)")
        else
            add_sides(tree, range, { f.left, f.top, f.right, f.bottom })
        end
    end

    local ARGUMENTS = { -- of each command: how many octets, and what adds them
        [STILL] = { 6, function(tree, range)
            local bytes = tree:add(f.still_bytes, range(0, 2))
            bytes:append_text(range(0, 2):uint() == 0 and " (the usual)" or "")
            add_region(tree, range(2, 4))
        end },
        [LINE] = { 3, function(tree, range)
            local bitrate = tree:add(f.set_bitrate, range(0, 2))
            bitrate:append_text(range(0, 2):uint() == 0 and " (as it is)" or "")
            add_named(tree, f.set_preset, range(2, 1), PRESETS_TO_SET)
        end },
        [CONFIRM] = { 2, function(tree, range)
            tree:add(f.confirms, range)
        end },
        [WATCH] = { 6, function(tree, range)
            local region = tree:add(f.region, range(0, 4))
            add_sides(region, range(0, 4), { f.left, f.top, f.right, f.bottom })
            local seconds = tree:add(f.seconds, range(4, 2))
            seconds:append_text(range(4, 2):uint() == 0 and " (no longer)" or "")
        end },
    }

    local function add_command(parent, payload, packet)
        local tree = parent:add(f.command, payload)
        if is_short(tree, payload, 3, "A command") then
            return ""
        end
        local number = payload(0, 2):uint() * SEQUENCES + packet.sequence
        tree:add(f.rollover, payload(0, 2))
        tree:add(f.number, payload(0, 2), number):set_generated()
        local what = add_named(tree, f.what, payload(2, 1), COMMANDS)
        local arguments = ARGUMENTS[payload(2, 1):uint()]
        if arguments and not is_short(tree, payload, 3 + arguments[1], "Command " .. what) then
            arguments[2](tree, payload(3, arguments[1]))
            add_padding(tree, payload, 3 + arguments[1])
        end
        return string.format(" number %d: %s", number, what)
    end

    local function add_reply(parent, payload)
        local tree = parent:add(f.reply, payload)
        if is_short(tree, payload, 6, "A reply") then
            return ""
        end
        tree:add(f.reply_number, payload(0, 2))
        local outcome = add_named(tree, f.outcome, payload(2, 1), OUTCOMES)
        tree:add(f.bitrate, payload(3, 2))
        add_named(tree, f.preset, payload(5, 1), PRESETS)
        add_padding(tree, payload, 6)
        return string.format(" to command %d: %s", payload(0, 2):uint(), outcome)
    end

    local function add_alarm(parent, payload)
        local tree = parent:add(f.alarm, payload)
        if is_short(tree, payload, 8, "An alarm") then
            return ""
        end
        local began = bits_of(payload, 8, 1)
        tree:add(f.alarm_number, payload(0, 1))
        add_bits(tree, f.began, payload, 8, 1, began)
        add_bits(tree, f.class, payload, 9, 7)
        add_bits(tree, f.age, payload, 16, 12, bits_of(payload, 16, 12) / AGES_PER_S)
        add_bits(tree, f.alarm_reserved, payload, 28, 4)
        local box = tree:add(f.alarm_region, payload(4, 4))
        add_sides(box, payload(4, 4), { f.alarm_left, f.alarm_top, f.alarm_right, f.alarm_bottom })
        local zone = add_words(tree, f.zone, payload, 8)
        return string.format(" %d %s: %s", payload(0, 1):uint(), ALARM_PHASES[began], zone)
    end

    local function add_acknowledgement(parent, payload, packet)
        local tree = parent:add(f.acknowledge, payload)
        if is_short(tree, payload, 8, "An acknowledgement") then
            return ""
        end
        local newest = payload(0, 2):uint() * SEQUENCES + packet.sequence
        tree:add(f.newest_rollover, payload(0, 2))
        tree:add(f.newest, payload(0, 2), newest):set_generated()
        tree:add(f.heard_from, payload(2, 2))
        tree:add(f.heard, payload(4, 4))
        add_padding(tree, payload, 8)
        return string.format(" of packet %d", newest)
    end

    return {
        fields = f,
        experts = e,
        bits_of = bits_of,
        add_bits = add_bits,
        -- By kind; each adds a payload that is not empty, and returns what the column says of it. IDENT's returns the
        -- security, too.
        add = {
            [0] = add_identity, [1] = add_scene, [2] = add_fragment, [3] = add_telemetry, [4] = add_text,
            [5] = add_command, [6] = add_reply, [7] = add_alarm,
            [8] = add_acknowledgement,
        },
    }
end

return make
