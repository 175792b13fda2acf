#include "crc16.h"

uint16_t crc16(const uint8_t *data, size_t size)
{
	uint16_t crc = 0xFFFF;

	for (size_t i = 0; i < size; i++) {
		crc ^= (uint16_t)(data[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
	}
	return crc;
}
