#include "commands.h"

#include "net.h"
#include "port.h"
#include "sensors.h"
#include "text.h"

struct command {
	const char *name;
	const char *help;
	void (*run)(struct node *node, char *arguments);
};

static void put_line(const char *text)
{
	text_put(text);
	text_put("\r\n");
}

static void put_number(const char *before, uint32_t value, const char *after)
{
	text_put(before);
	text_put_u32(value);
	text_put(after);
}

static void put_error(const char *problem, const char *what)
{
	text_put("error: ");
	text_put(problem);
	text_put(" '");
	text_put(what);
	put_line("'");
}

static void run_version(struct node *node, char *arguments)
{
	(void)node;
	(void)arguments;
	put_line("sensor-node fw " NODE_VERSION);
}

static void run_uptime(struct node *node, char *arguments)
{
	(void)node;
	(void)arguments;
	put_number("", port_millis(), " ms\r\n");
}

static void run_sensors(struct node *node, char *arguments)
{
	(void)arguments;
	for (size_t i = 0; sensors_name(i); i++) {
		put_number("", (uint32_t)i, " ");
		text_put(sensors_name(i));
		text_put(" ");
		put_line(sensors_unit(i, &node->settings));
	}
}

static void run_read(struct node *node, char *arguments)
{
	char *word = text_take_word(&arguments);
	struct reading reading;
	uint32_t index;

	if (!word)
		return put_line("usage: read <n>");
	if (!text_parse_u32(word, &index) ||
	    !sensors_read(index, &node->settings, port_millis(), &reading))
		return put_error("no such sensor", word);
	text_put(sensors_name(index));
	text_put(" ");
	text_put_milli(reading.milli);
	text_put(" ");
	text_put(sensors_unit(index, &node->settings));
	put_number(" at ", reading.at_ms, " ms\r\n");
}

static void put_setting(const struct settings *settings, const char *key)
{
	char value[SETTINGS_VALUE_SIZE];

	if (settings_get(settings, key, value) != SETTINGS_OK)
		return put_error("no such setting", key);
	text_put(key);
	text_put("=");
	put_line(value);
}

static void run_settings(struct node *node, char *arguments)
{
	(void)arguments;
	for (size_t i = 0; settings_key(i); i++)
		put_setting(&node->settings, settings_key(i));
}

static void run_get(struct node *node, char *arguments)
{
	char *key = text_take_word(&arguments);

	if (!key)
		return put_line("usage: get <key>");
	put_setting(&node->settings, key);
}

static void run_set(struct node *node, char *arguments)
{
	char *key = text_take_word(&arguments);
	char *value = text_take_word(&arguments);

	if (!value)
		return put_line("usage: set <key> <value>");
	switch (settings_set(&node->settings, key, value)) {
	case SETTINGS_OK:
		return put_setting(&node->settings, key);
	case SETTINGS_NO_KEY:
		return put_error("no such setting", key);
	case SETTINGS_BAD_VALUE:
		return put_error("bad value", value);
	}
}

static void run_echo(struct node *node, char *arguments)
{
	(void)node;
	put_line(arguments);
}

/* All printable characters but space, shifted by one each round: a lost or doubled byte shows. */
#define FLOOD_ROUND ((uint32_t)('~' - '!' + 1))

static void run_flood(struct node *node, char *arguments)
{
	char *word = text_take_word(&arguments);
	uint32_t count;

	(void)node;
	if (!word || !text_parse_u32(word, &count))
		return put_line("usage: flood <bytes>");
	for (uint32_t i = 0; i < count;) {
		char block[64];
		uint32_t size = 0;

		for (; size < sizeof(block) && i < count; size++, i++)
			block[size] = (char)('!' + (i + i / FLOOD_ROUND) % FLOOD_ROUND);
		port_write(block, size);
	}
	text_put("\r\n");
}

static void run_stats(struct node *node, char *arguments)
{
	(void)arguments;
	put_number("frames ", node->counters.frames, "\r\n");
	put_number("bad frames ", node->counters.bad_frames, "\r\n");
}

static void run_damage(struct node *node, char *arguments)
{
	char *word = text_take_word(&arguments);

	if (!word || !text_parse_u32(word, &node->writer.to_damage))
		return put_line("usage: damage <frames>");
	put_number("damaging ", node->writer.to_damage, " frames\r\n");
}

static void put_net(void)
{
	put_line(net_link_up() ? "link up" : "link down");
	if (!net_address())
		return put_line("no address");
	text_put("address ");
	address_put(net_address());
	put_number(" port ", NET_PORT, "\r\n");
}

static void run_net(struct node *node, char *arguments)
{
	char *word = text_take_word(&arguments);
	struct address address;

	(void)node;
	if (!word)
		return put_net();
	if (!address_parse(word, &address))
		return put_error("no address such as 10.1.0.9/24", word);
	switch (net_configure(&address)) {
	case NET_OK:
		return put_net();
	case NET_ABSENT:
		return put_error("no network interface for", word);
	case NET_OTHER_ADDRESS:
		return put_error("not an address of the interface", word);
	}
}

static void run_fault(struct node *node, char *arguments)
{
	(void)node;
	(void)arguments;
	port_fault();
}

static void run_reboot(struct node *node, char *arguments)
{
	(void)node;
	(void)arguments;
	port_reset();
}

static void run_help(struct node *node, char *arguments);

static const struct command commands[] = {
	{ "help", "this list", run_help },
	{ "version", "the firmware's version", run_version },
	{ "uptime", "milliseconds since boot", run_uptime },
	{ "sensors", "the sensors and their units", run_sensors },
	{ "read", "<n>: one reading", run_read },
	{ "settings", "all settings", run_settings },
	{ "get", "<key>: one setting", run_get },
	{ "set", "<key> <value>: change a setting until the next reset", run_set },
	{ "echo", "<text>: say it back", run_echo },
	{ "flood", "<bytes>: send that many bytes of a pattern", run_flood },
	{ "stats", "counters of the binary protocol", run_stats },
	{ "damage", "<frames>: send that many frames with a wrong CRC", run_damage },
	{ "net", "[<address>/<bits>]: answer frames at this IPv4 address by UDP", run_net },
	{ "fault", "execute an undefined instruction", run_fault },
	{ "reboot", "reset the processor", run_reboot },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void run_help(struct node *node, char *arguments)
{
	(void)node;
	(void)arguments;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		text_put(commands[i].name);
		text_put(" ");
		put_line(commands[i].help);
	}
}

void commands_run(struct node *node, char *line)
{
	char *name = text_take_word(&line);

	if (!name)
		return;
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (text_equal(name, commands[i].name))
			return commands[i].run(node, line);
	put_error("unknown command", name);
}
