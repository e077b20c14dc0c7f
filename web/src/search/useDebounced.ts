/** A value that follows another once that has been still for a moment. */
import { useEffect, useState } from 'react'

export function useDebounced<T>(value: T, milliseconds: number): T {
  const [followed, setFollowed] = useState(value)
  useEffect(() => {
    const timer = window.setTimeout(() => setFollowed(value), milliseconds)
    return () => window.clearTimeout(timer)
  }, [value, milliseconds])
  return followed
}
