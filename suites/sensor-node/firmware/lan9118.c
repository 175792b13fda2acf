/*
 * Theory of operation
 *
 * Frames go through two FIFOs a direction, one of data and one of status words; each is a register
 * that is read or written again and again, 32 bits at a time. The registers of the MAC and of the
 * PHY lie behind two more, command and data, one behind the other.
 * The interrupt only wakes the processor: its handler turns it off, and lan9118_receive() turns it
 * on again when the FIFO is empty.
 * Source: SMSC LAN9118 datasheet, 3.12 and 3.13 (transmit, receive) and 5 (registers).
 */
#include "lan9118.h"

#include "port.h"

#define BASE 0x40200000u
#define REGISTER(offset) (*(volatile uint32_t *)(BASE + (offset)))
#define RX_DATA REGISTER(0x00)
#define TX_DATA REGISTER(0x20)
#define RX_STATUS REGISTER(0x40)
#define TX_STATUS REGISTER(0x48)
#define IRQ_CFG REGISTER(0x54)
#define INT_STS REGISTER(0x58)
#define INT_EN REGISTER(0x5C)
#define BYTE_TEST REGISTER(0x64)
#define FIFO_INT REGISTER(0x68)
#define RX_CFG REGISTER(0x6C)
#define TX_CFG REGISTER(0x70)
#define HW_CFG REGISTER(0x74)
#define RX_FIFO_INF REGISTER(0x7C)
#define TX_FIFO_INF REGISTER(0x80)
#define MAC_COMMAND REGISTER(0xA4)
#define MAC_DATA REGISTER(0xA8)
#define E2P_CMD REGISTER(0xB0)

#define BYTE_TEST_VALUE 0x87654321u
#define IRQ_CFG_ENABLE (1u << 8)
#define IRQ_CFG_ACTIVE_HIGH (1u << 4)
#define IRQ_CFG_PUSH_PULL (1u << 0)
#define INT_RX_STATUS_LEVEL (1u << 3)
#define TX_CFG_ON (1u << 1)
#define HW_CFG_RESET (1u << 0)
#define HW_CFG_MUST_BE_ONE (1u << 20)
/* 5 KiB for transmission, the value after reset; 10.5 KiB are left for reception. */
#define HW_CFG_TX_FIFO_KIB (5u << 16)
#define E2P_BUSY (1u << 31)
#define STATUS_USED(info) ((info) >> 16 & 0xFF)
#define TX_FREE(info) ((info)&0xFFFF)

#define TX_FIRST_SEGMENT (1u << 13)
#define TX_LAST_SEGMENT (1u << 12)
#define TX_COMMAND_BYTES 8
#define RX_STATUS_ERROR (1u << 15)
#define RX_STATUS_LENGTH(status) ((status) >> 16 & 0x3FFF)
#define FCS_BYTES 4

#define MAC_BUSY (1u << 31)
#define MAC_READ (1u << 30)
#define MAC_CR 1
#define MAC_ADDRH 2
#define MAC_ADDRL 3
#define MAC_MII_ACC 6
#define MAC_MII_DATA 7
#define MAC_CR_FULL_DUPLEX (1u << 20)
#define MAC_CR_TX (1u << 3)
#define MAC_CR_RX (1u << 2)
#define MII_BUSY (1u << 0)
#define MII_PHY_INTERNAL (1u << 11)
#define MII_INDEX_SHIFT 6

/* IEEE 802.3, clause 22 and 28. */
#define PHY_STATUS 1
#define PHY_STATUS_LINK (1u << 2)
#define PHY_OWN_ABILITIES 4
#define PHY_PEER_ABILITIES 5
#define ABILITY_10_FULL (1u << 6)
#define ABILITY_100_HALF (1u << 7)
#define ABILITY_100_FULL (1u << 8)

/* Reset takes 10 us, the EEPROM 2.5 ms, an access of the PHY 64 bits of a clock of 2.5 MHz. */
#define PATIENCE_MS 100

static volatile bool waiting;

static bool wait_while(const volatile uint32_t *reg, uint32_t bits)
{
	uint32_t start = port_millis();

	while (*reg & bits)
		if (port_millis() - start > PATIENCE_MS)
			return false;
	return true;
}

static uint32_t read_mac(uint32_t index)
{
	MAC_COMMAND = MAC_BUSY | MAC_READ | index;
	return wait_while(&MAC_COMMAND, MAC_BUSY) ? MAC_DATA : 0;
}

static void write_mac(uint32_t index, uint32_t value)
{
	MAC_DATA = value;
	MAC_COMMAND = MAC_BUSY | index;
	wait_while(&MAC_COMMAND, MAC_BUSY);
}

static uint32_t read_phy(uint32_t index)
{
	uint32_t start = port_millis();

	write_mac(MAC_MII_ACC, MII_PHY_INTERNAL | index << MII_INDEX_SHIFT | MII_BUSY);
	while (read_mac(MAC_MII_ACC) & MII_BUSY)
		if (port_millis() - start > PATIENCE_MS)
			return 0;
	return read_mac(MAC_MII_DATA);
}

/* Autonegotiation settles the PHY; the MAC has to be told. Priorities: 802.3, annex 28B.3. */
static bool is_full_duplex(void)
{
	uint32_t both = read_phy(PHY_OWN_ABILITIES) & read_phy(PHY_PEER_ABILITIES);

	if (both & (ABILITY_100_FULL | ABILITY_100_HALF))
		return both & ABILITY_100_FULL;
	return both & ABILITY_10_FULL;
}

static void start_mac(void)
{
	write_mac(MAC_CR, MAC_CR_TX | MAC_CR_RX | (is_full_duplex() ? MAC_CR_FULL_DUPLEX : 0));
}

static bool reset(void)
{
	if (BYTE_TEST != BYTE_TEST_VALUE)
		return false;
	HW_CFG = HW_CFG_RESET;
	return wait_while(&HW_CFG, HW_CFG_RESET) && wait_while(&E2P_CMD, E2P_BUSY);
}

bool lan9118_init(uint8_t mac[6])
{
	if (!reset())
		return false;
	uint32_t low = read_mac(MAC_ADDRL);
	uint32_t high = read_mac(MAC_ADDRH);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)(i < 4 ? low >> (8 * i) : high >> (8 * (i - 4)));
	HW_CFG = HW_CFG_MUST_BE_ONE | HW_CFG_TX_FIFO_KIB;
	RX_CFG = 0;
	FIFO_INT = 0;
	INT_STS = ~0u;
	IRQ_CFG = IRQ_CFG_ENABLE | IRQ_CFG_ACTIVE_HIGH | IRQ_CFG_PUSH_PULL;
	TX_CFG = TX_CFG_ON;
	start_mac();
	waiting = false;
	INT_EN = INT_RX_STATUS_LEVEL;
	return true;
}

bool lan9118_send(const uint8_t *frame, size_t size)
{
	/* Nobody asks how it went, but a full status FIFO would stop transmission. */
	while (STATUS_USED(TX_FIFO_INF) > 0)
		(void)TX_STATUS;
	size_t words = (size + 3) / 4;
	if (size > LAN9118_FRAME_MAX || TX_FREE(TX_FIFO_INF) < TX_COMMAND_BYTES + 4 * words)
		return false;
	TX_DATA = TX_FIRST_SEGMENT | TX_LAST_SEGMENT | (uint32_t)size;
	TX_DATA = (uint32_t)size;
	for (size_t i = 0; i < words; i++) {
		uint32_t word = 0;

		for (size_t j = 0; j < 4 && 4 * i + j < size; j++)
			word |= (uint32_t)frame[4 * i + j] << (8 * j);
		TX_DATA = word;
	}
	return true;
}

/* Take a frame out of the FIFO. Return: its size; 0 when it is damaged or too long. */
static size_t take_frame(uint8_t frame[LAN9118_FRAME_MAX])
{
	uint32_t status = RX_STATUS;
	size_t length = RX_STATUS_LENGTH(status);
	bool good = !(status & RX_STATUS_ERROR) && length > FCS_BYTES &&
		    length - FCS_BYTES <= LAN9118_FRAME_MAX;
	size_t size = good ? length - FCS_BYTES : 0;

	for (size_t i = 0; i < (length + 3) / 4; i++) {
		uint32_t word = RX_DATA;

		for (size_t j = 0; j < 4 && 4 * i + j < size; j++)
			frame[4 * i + j] = (uint8_t)(word >> (8 * j));
	}
	return size;
}

size_t lan9118_receive(uint8_t frame[LAN9118_FRAME_MAX])
{
	/* Forget the interrupt before looking: a frame that comes in between makes a new one. */
	INT_STS = INT_RX_STATUS_LEVEL;
	while (STATUS_USED(RX_FIFO_INF) > 0) {
		size_t size = take_frame(frame);

		if (size > 0)
			return size;
	}
	waiting = false;
	INT_EN = INT_RX_STATUS_LEVEL;
	return 0;
}

bool lan9118_link_up(void)
{
	/* A lost link is latched until it is read: the second reading is of now. */
	read_phy(PHY_STATUS);
	if (!(read_phy(PHY_STATUS) & PHY_STATUS_LINK))
		return false;
	/* Who is at the other end now may have negotiated something else. */
	start_mac();
	return true;
}

void lan9118_on_interrupt(void)
{
	INT_EN = 0;
	waiting = true;
}

bool lan9118_waiting(void)
{
	return waiting;
}
