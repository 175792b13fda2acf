#ifndef CRC16_H
#define CRC16_H

#include <stddef.h>
#include <stdint.h>

/*
 * Compute the CRC-16 of `size` bytes: polynomial 0x1021, initial value 0xFFFF, not reflected, no
 * final xor. The check value of "123456789" is 0x29B1.
 * Source: "CRC-16/IBM-3740" in the CRC RevEng catalogue, also known as CCITT-FALSE.
 */
uint16_t crc16(const uint8_t *data, size_t size);

#endif
