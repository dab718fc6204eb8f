-- Names every field of Pantel's packets in Wireshark and tshark; docs/protocol.md is the format's definition.
--
-- Captures of a stream (LINKTYPE_USER0) hold marker and codeword before error correction: the dissector says whether the
-- parity fits, and shows the octets as they are. Packets that arrive whole come bare (LINKTYPE_USER1) or in AX.25 frames
-- behind a KISS command (LINKTYPE_AX25_KISS). It works with any Lua that Wireshark has had, without libraries for bits.
-- What payloads hold is in pantel_messages.lua, which must lie, or be linked, beside this file.

local MARKER_OCTETS, HEADER_OCTETS, TRAILER_OCTETS = 3, 4, 4
local TOLERANCE_BITS = 3
local LONGEST_CODEWORD = 128
local AX25_NO_LAYER_3 = 0xF0
local FORMATS = {
    { name = "light live", marker = { 0x22, 0x79, 0x5E }, codeword = 45, parity = 2 },
    { name = "standard live", marker = { 0xC8, 0xD2, 0x67 }, codeword = 45, parity = 4 },
    { name = "heavy live", marker = { 0x34, 0xC6, 0xAB }, codeword = 45, parity = 16 },
    { name = "light still", marker = { 0xEE, 0x18, 0xB8 }, codeword = 128, parity = 4 },
    { name = "standard still", marker = { 0x95, 0x2D, 0x4B }, codeword = 128, parity = 8 },
    { name = "heavy still", marker = { 0x17, 0x58, 0xE5 }, codeword = 128, parity = 34 },
}
local KINDS = {
    [0] = "IDENT", [1] = "scene", [2] = "still", [3] = "telemetry", [4] = "text", [5] = "command", [6] = "reply",
    [7] = "alarm", [8] = "acknowledgement",
}
local IDENT, SCENE, TELEMETRY, COMMAND, ACKNOWLEDGE = 0, 1, 3, 5, 8
local VERSIONS = { [1] = true, [2] = true }
local ENCRYPTED = 2

local pantel = Proto("pantel", "Pantel")
local pantel_packet = Proto("pantel_packet", "Pantel packet") -- the same, where packets arrive whole
local f = {
    marker = ProtoField.bytes("pantel.marker", "Marker"),
    format = ProtoField.string("pantel.format", "Format"),
    marker_errors = ProtoField.uint8("pantel.marker_errors", "Wrong bits in the marker"),
    whitened = ProtoField.bytes("pantel.whitened", "Codeword as received"),
    codeword = ProtoField.bytes("pantel.codeword", "Codeword without whitening"),
    parity = ProtoField.bytes("pantel.parity", "Parity"),
    syndromes = ProtoField.string("pantel.syndromes", "Syndromes"),
    needs_correction = ProtoField.bool("pantel.needs_correction", "Needs correction"),
    version = ProtoField.uint8("pantel.version", "Version"),
    kind = ProtoField.uint8("pantel.kind", "Kind", base.DEC, KINDS),
    sender = ProtoField.uint8("pantel.sender", "Sender"),
    sequence = ProtoField.uint16("pantel.sequence", "Sequence"),
    tick = ProtoField.uint16("pantel.tick", "Time stamp"),
    seconds = ProtoField.double("pantel.seconds", "Time stamp [s]"),
    payload = ProtoField.bytes("pantel.payload", "Payload"),
    encrypted = ProtoField.bytes("pantel.encrypted", "Encrypted payload"),
    trailer = ProtoField.bytes("pantel.trailer", "Trailer"),
}
local e = {
    corrected = ProtoExpert.new("pantel.expert.correction", "Needs correction", expert.group.CHECKSUM, expert.severity.WARN),
    marker = ProtoExpert.new("pantel.expert.marker", "Wrong bits in the marker", expert.group.CHECKSUM, expert.severity.NOTE),
    unmarked = ProtoExpert.new("pantel.expert.unmarked", "No marker", expert.group.MALFORMED, expert.severity.ERROR),
    version = ProtoExpert.new("pantel.expert.version", "Unknown version", expert.group.PROTOCOL, expert.severity.WARN),
    kind = ProtoExpert.new("pantel.expert.kind", "Unassigned kind", expert.group.PROTOCOL, expert.severity.WARN),
    short = ProtoExpert.new("pantel.expert.short", "Too short", expert.group.MALFORMED, expert.severity.ERROR),
}

-- The source is the path of this file, with @ before it where Wireshark says so.
local directory = debug.getinfo(1, "S").source:gsub("^@", ""):match("^.*[/\\]") or ""
local beside = directory .. "pantel_messages.lua"
assert(io.open(beside), beside .. " is missing: copy or link both files"):close()
local messages = dofile(beside)(e.short)
local bits_of, add_bits = messages.bits_of, messages.add_bits

local function values(...)
    local list = {}
    for _, each in ipairs({ ... }) do
        for _, value in pairs(each) do
            list[#list + 1] = value
        end
    end
    return list
end

pantel.fields = values(f, messages.fields)
pantel.experts = values(e, messages.experts)

-- Arithmetic of bits, octets and GF(256)

local function xor(a, b)
    local result, bit = 0, 1
    while a > 0 or b > 0 do
        if a % 2 ~= b % 2 then
            result = result + bit
        end
        a, b, bit = math.floor(a / 2), math.floor(b / 2), bit * 2
    end
    return result
end

local function ones(a)
    local count = 0
    while a > 0 do
        count, a = count + a % 2, math.floor(a / 2)
    end
    return count
end

local XOR = {} -- of two octets
for a = 0, 255 do
    XOR[a] = {}
    for b = 0, 255 do
        XOR[a][b] = xor(a, b)
    end
end

local WHITENING = {} -- CCSDS 131.0-B
do
    local bits = {}
    for n = 0, 8 * LONGEST_CODEWORD - 1 do
        bits[n] = n < 8 and 1 or (bits[n - 8] + bits[n - 5] + bits[n - 3] + bits[n - 1]) % 2
    end
    for octet = 0, LONGEST_CODEWORD - 1 do
        local value = 0
        for bit = 0, 7 do
            value = 2 * value + bits[8 * octet + bit]
        end
        WHITENING[octet] = value
    end
end

local EXP, LOG = {}, {} -- powers of 2 in GF(256), field polynomial 0x11D
do
    local value = 1
    for power = 0, 254 do
        EXP[power], LOG[value] = value, power
        value = value * 2
        if value > 255 then
            value = xor(value, 0x11D)
        end
    end
end

-- Values of the codeword's polynomial at the roots of the generator: all zero if nothing is wrong.
local function syndromes(octets, parity)
    local result, wrong = {}, false
    for root = 0, parity - 1 do
        local value = 0
        for _, octet in ipairs(octets) do
            if value ~= 0 then
                value = EXP[(LOG[value] + root) % 255]
            end
            value = XOR[value][octet]
        end
        result[root + 1] = value
        wrong = wrong or value ~= 0
    end
    return result, wrong
end

local function hex(octets)
    local text = {}
    for i, octet in ipairs(octets) do
        text[i] = string.format("%02x", octet)
    end
    return table.concat(text)
end

-- Packets

local security_of = {} -- by number of the sender, as far as the capture has been read
local encrypted_frames = {}

function pantel.init()
    security_of, encrypted_frames = {}, {}
end

-- Says whether a payload is encrypted, which only the sender's last IDENT packet tells; what goes back never is.
local function is_encrypted(pinfo, packet)
    if not pinfo.visited then
        local can_be = packet.kind ~= IDENT and packet.kind ~= COMMAND and packet.kind ~= ACKNOWLEDGE
        encrypted_frames[pinfo.number] = can_be and security_of[packet.sender] == ENCRYPTED
    end
    return encrypted_frames[pinfo.number]
end

local function add_payload(tree, payload, pinfo, packet)
    local subtree = tree:add(f.payload, payload)
    if is_encrypted(pinfo, packet) then
        subtree:add(f.encrypted, payload)
        return " (encrypted)"
    end
    local says, security = messages.add[packet.kind](subtree, payload, packet)
    if security and not packet.wrong and not pinfo.visited then
        security_of[packet.sender] = security
    end
    return says
end

-- Adds header, payload and trailer; `wrong` says that they may have errors.
local function add_packet(tree, range, pinfo, wrong)
    if range:len() < HEADER_OCTETS + TRAILER_OCTETS then
        tree:add_proto_expert_info(e.short, "A packet needs 8 octets")
        pinfo.cols.info = "too short"
        return
    end
    local packet = {
        version = bits_of(range, 0, 2), kind = bits_of(range, 2, 4), sender = bits_of(range, 6, 6),
        sequence = bits_of(range, 12, 10), tick = bits_of(range, 22, 10), wrong = wrong,
    }
    local version = add_bits(tree, f.version, range, 0, 2)
    local kind = add_bits(tree, f.kind, range, 2, 4)
    add_bits(tree, f.sender, range, 6, 6)
    add_bits(tree, f.sequence, range, 12, 10)
    add_bits(tree, f.tick, range, 22, 10):append_text(" (25 ms)")
    tree:add(f.seconds, range(2, 2), packet.tick * 0.025):set_generated()
    local payload = range(HEADER_OCTETS, range:len() - HEADER_OCTETS - TRAILER_OCTETS)
    local says = ""
    if not VERSIONS[packet.version] then
        version:add_proto_expert_info(e.version)
        says = string.format(" of version %d", packet.version)
    elseif not KINDS[packet.kind] then
        kind:add_proto_expert_info(e.kind)
    elseif payload:len() > 0 then
        says = add_payload(tree, payload, pinfo, packet)
    elseif packet.kind ~= SCENE and packet.kind ~= TELEMETRY then
        kind:add_proto_expert_info(e.short, "No payload")
    end
    tree:add(f.trailer, range(range:len() - TRAILER_OCTETS))
    local name = KINDS[packet.kind] or string.format("kind %d", packet.kind)
    pinfo.cols.info = string.format(
        "%s %d of sender %d%s%s", name, packet.sequence, packet.sender, says, wrong and " [needs correction]" or ""
    )
end

-- Codewords

local function format_of(range)
    for _, format in ipairs(FORMATS) do
        local errors = 0
        for i, octet in ipairs(format.marker) do
            errors = errors + ones(XOR[octet][range(i - 1, 1):uint()])
        end
        if errors <= TOLERANCE_BITS then
            return format, errors
        end
    end
end

local function add_codeword(tree, range, pinfo, format)
    local octets = {}
    for i = 0, range:len() - 1 do
        octets[i + 1] = XOR[range(i, 1):uint()][WHITENING[i]]
    end
    tree:add(f.whitened, range)
    local clear = ByteArray.new(hex(octets)):tvb("Codeword without whitening")()
    local item = tree:add(f.codeword, clear)
    local message_octets = format.codeword - format.parity
    local values, wrong = syndromes(octets, format.parity)
    item:add(f.parity, clear(message_octets))
    item:add(f.syndromes, clear(message_octets), hex(values)):set_generated()
    local needs = item:add(f.needs_correction, clear(), wrong)
    needs:set_generated()
    if wrong then
        needs:add_proto_expert_info(e.corrected, "The parity does not fit: what follows has errors")
    end
    add_packet(tree, clear(0, message_octets), pinfo, wrong)
end

function pantel.dissector(buffer, pinfo, root)
    pinfo.cols.protocol = "Pantel"
    local tree = root:add(pantel, buffer(), "Pantel")
    if buffer:len() < MARKER_OCTETS then
        tree:add_proto_expert_info(e.short, "A marker needs 3 octets")
        return
    end
    local format, errors = format_of(buffer)
    if not format or buffer:len() ~= MARKER_OCTETS + format.codeword then
        tree:add_proto_expert_info(e.unmarked, format and "The codeword is not whole" or "No marker of Pantel")
        pinfo.cols.info = "no codeword"
        return
    end
    local marker = buffer(0, MARKER_OCTETS)
    local item = tree:add(f.marker, marker)
    item:add(f.format, marker, format.name)
    local wrong = item:add(f.marker_errors, marker, errors)
    if errors > 0 then
        wrong:add_proto_expert_info(e.marker)
    end
    tree:append_text(", " .. format.name)
    add_codeword(tree, buffer(MARKER_OCTETS), pinfo, format)
end

function pantel_packet.dissector(buffer, pinfo, root)
    pinfo.cols.protocol = "Pantel"
    add_packet(root:add(pantel, buffer(), "Pantel, whole packet"), buffer(), pinfo, false)
end

local by_link_type = DissectorTable.get("wtap_encap")
by_link_type:add(wtap.USER0, pantel)
by_link_type:add(wtap.USER1, pantel_packet)

-- AX.25 without layer 3 is used by many programs, so only what goes to PANTEL is ours.
local by_protocol = DissectorTable.get("ax25.pid")
local others = by_protocol:get_dissector(AX25_NO_LAYER_3)
local pantel_ax25 = Proto("pantel_ax25", "Pantel in AX.25")

function pantel_ax25.dissector(buffer, pinfo, root)
    if tostring(pinfo.dst):match("^PANTEL") then
        pantel_packet.dissector(buffer, pinfo, root)
    elseif others then
        others:call(buffer, pinfo, root)
    end
end

by_protocol:add(AX25_NO_LAYER_3, pantel_ax25)
